"""The trainer: many models at once, as lanes of one batched model.

Every tensor has a leading lane axis L. Lanes of one seed see the same mini-batches; each has its own weights, its own
given labels, its own loss. One step is a few batched matrix products for all lanes together, and one lane's numbers are
those of an ordinary one-model loop, to rounding (tested against one).

Shapes: inputs (N, *shape) on the device, given labels (L, N), logits (L, B, K).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from alf.data import Arrays
from alf.errors import InputError
from alf.losses import Loss, parse
from alf.losses.torch_loss import per_sample
from alf.training import augment
from alf.training.networks import build, parameter_count
from alf.training.networks_spec import is_convolutional
from alf.training.recipe import Lane, Recipe
from alf.training.records import Record
from alf.training.samples import given_labels, measured, samples_used

RAW = 1 << 23
"""Training sets with more values than this are kept as the bytes they come as."""


class Stopped(Exception):
    """Raised between two batches when whoever listens says that the run should end; it can be gone on with there."""


class Group(NamedTuple):
    """Neighbouring lanes of one family of losses, which share a call: `hyperparameters` that differ are (lanes, 1)."""

    loss: Loss
    lanes: int
    hyperparameters: dict[str, Tensor]


class Trainer:
    """Trains some or all lanes of a recipe, epoch by epoch.

    Parameters
    ----------
    recipe
        What to train.
    arrays
        The data set in memory: ``recipe.dataset.load(folder)``.
    lanes
        Which of ``recipe.lanes`` (indices); all of them by default.
    device
        ``cpu``, ``cuda`` or ``mps``.

    Attributes
    ----------
    epoch
        Number of finished epochs.
    share
        Of the next one, how much is done, evaluation included: in [0, 1).
    alive
        Indices (into ``recipe.lanes``) of the lanes still training, in the trainer's own order.
    ended
        Lane index -> why it ended early, in words.

    Examples
    --------
    >>> recipe = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), network="mlp:32", epochs=2)
    >>> trainer = Trainer(recipe, recipe.dataset.load())
    >>> first = trainer.run_epoch()[0]
    >>> first["loss"], first["epoch"], 0 < first["test_accuracy"] < 1
    ('ce', 1, True)
    """

    def __init__(self, recipe: Recipe, arrays: Arrays, lanes: Sequence[int] | None = None, device: str = "cpu"):
        self.recipe, self.device = recipe, torch.device(device)
        chosen = range(len(recipe.lanes)) if lanes is None else lanes
        self.parsed = {spec: parse(spec) for spec in recipe.losses}
        # Lanes of one family side by side, so that their hyperparameters become one tensor.
        families = list(dict.fromkeys(loss.declaration.family for loss in self.parsed.values()))
        rank = {spec: families.index(loss.declaration.family) for spec, loss in self.parsed.items()}
        self.alive = sorted(chosen, key=lambda i: (rank[recipe.lanes[i].loss], i))
        self.ended: dict[int, str] = {}
        self.epoch, self.share = 0, 0.0
        self._spent = 0.0
        self._since: float | None = None  # when the epoch in hand was begun, or gone on with
        self._batches = 0  # of the epoch in hand, done so far
        self.classes = recipe.dataset.classes
        self._check_memory()
        self._load(arrays)
        self.model = build(recipe.network, recipe.dataset.shape, self.classes, [lane.seed for lane in self.lanes])
        self.model.to(self.device)
        self.velocity = [torch.zeros_like(p) for p in self.model.parameters()]
        # Of the epoch in hand: sum over samples of the loss, sum over batches of the gradient norm.
        self._sums = torch.zeros(2, len(self.alive), device=self.device)
        self._arrange()

    def _load(self, arrays: Arrays) -> None:
        """Put the samples on the device, and the labels that each lane is given."""
        recipe, inputs, true = self.recipe, arrays.train_inputs, arrays.train_labels
        if recipe.samples is not None and recipe.samples > len(true):
            raise InputError(f"samples: {recipe.data} has {len(true)} training samples, got {recipe.samples}")
        used = samples_used(recipe, true)
        inputs, true = inputs[used], true[used]
        drawn = {(lane.noise, lane.seed): lane for lane in self.lanes}
        given = {which: given_labels(recipe, lane, inputs, true) for which, lane in drawn.items()}
        # Pictures to be moved, and large sets, stay bytes: a quarter of the memory, normalised batch by batch.
        self.raw = recipe.augment != "none" or inputs.size > RAW
        declared, shape = recipe.dataset, (-1,) + (1,) * (inputs.ndim - 2)
        self._mean = torch.tensor(declared.mean, device=self.device).view(shape)
        self._std = torch.tensor(declared.std, device=self.device).view(shape)
        self.inputs = self._on_device(inputs)
        self.true = torch.from_numpy(true).to(self.device)
        self.given = torch.from_numpy(np.stack([given[lane.noise, lane.seed] for lane in self.lanes])).to(self.device)
        self.test_inputs = self._on_device(arrays.test_inputs)
        self.test_true = torch.from_numpy(arrays.test_labels).to(self.device)
        self.measured = torch.from_numpy(measured(true)).to(self.device)
        # A forward pass is a third of a training step.
        self._work = len(self.inputs) + (len(self.measured) + len(self.test_inputs)) / 3

    def _on_device(self, inputs: np.ndarray) -> Tensor:
        kept = inputs if self.raw else self.recipe.dataset.normalise(inputs)
        return torch.from_numpy(np.ascontiguousarray(kept)).to(self.device)

    def normal(self, x: Tensor, moves: Tensor | None = None) -> Tensor:
        """Turn stored inputs (..., *shape) into what the network sees, moved by the augmentation first."""
        if not self.raw:
            return x
        x = x.float().div_(self.recipe.dataset.high)
        if moves is not None:
            x = augment.apply(x.flatten(0, 1), moves.flatten(0, 1)).view(x.shape)
        return x.sub_(self._mean).div_(self._std)

    @property
    def seconds(self) -> float:
        """Training time so far, over all resumptions and up to this moment."""
        return self._spent + (0.0 if self._since is None else time.perf_counter() - self._since)

    @property
    def lanes(self) -> list[Lane]:
        """The lanes still training, in the order of the lane axis."""
        return [self.recipe.lanes[i] for i in self.alive]

    def _check_memory(self) -> None:
        """Refuse what cannot fit, before the system starts killing processes over it."""
        lane = parameter_count(self.recipe.network, self.recipe.dataset.shape, self.classes)
        # weights, velocity, gradients and one temporary of each, in single precision
        needed = 16 * lane * len(self.alive)
        if self.device.type == "cuda":
            free = torch.cuda.mem_get_info(self.device)[0]
        else:
            import psutil

            free = psutil.virtual_memory().available
        if needed > free:
            one = len(self.alive) == 1
            models = f"{len(self.alive)} model{'' if one else 's'} of {self.recipe.network}"
            raise InputError(
                f"network: at most {free / 2**30:.0f} GiB of memory are free, got {models}, which "
                f"need{'s' if one else ''} about {needed / 2**30:.0f} GiB; choose fewer models or a smaller network"
            )

    def _arrange(self) -> None:
        """Group the lanes by the family of their loss and by seed; called again when a lane has left.

        A family is compiled once. A key does not name it: all typed formulas share one.
        """
        losses = [self.parsed[lane.loss] for lane in self.lanes]
        alike = (list(members) for _, members in groupby(losses, key=lambda loss: loss.declaration.family))
        self.groups = [Group(some[0], len(some), self._hyperparameters(some)) for some in alike]
        self.seeds = sorted({lane.seed for lane in self.lanes})
        self.seed_of = torch.tensor([self.seeds.index(lane.seed) for lane in self.lanes], device=self.device)
        self.scale = None
        if self.recipe.equal_scale:
            self.scale = torch.tensor([1 / largest_weight(loss, self.classes) for loss in losses], device=self.device)

    def _hyperparameters(self, losses: list[Loss]) -> dict[str, Tensor]:
        """Stack the hyperparameters that differ between lanes, each (lanes, 1)."""
        return {
            name: torch.tensor([[loss.floats[name]] for loss in losses], device=self.device)
            for name in losses[0].floats
            if len({loss.floats[name] for loss in losses}) > 1
        }

    def run_epoch(self, listen: Callable[[], bool] | None = None) -> list[Record]:
        """Train one epoch and evaluate; one that was left in the middle is gone on with.

        Parameters
        ----------
        listen
            Called before every batch, of the evaluation too; when it returns True, `Stopped` is raised. `state` then
            holds what has been done of the epoch, and the next call goes on from there.

        Returns
        -------
        One epoch record (see `alf.training.records`) per lane that is still training, in the recipe's order.
        """
        self._since = time.perf_counter()
        try:
            self._train(listen)
            means = self._survivors(self.epoch + 1)
            records = self._records(self.epoch + 1, means.tolist(), listen) if self.alive else []
        finally:
            self._spent, self._since = self.seconds, None
        self.epoch, self.share, self._batches = self.epoch + 1, 0.0, 0
        self._sums = torch.zeros_like(self._sums)
        return [record | {"seconds": round(self._spent, 4)} for record in records]

    def run(self, listen: Callable[[], bool] | None = None) -> Iterator[Record]:
        """Run the epochs that are left, while there are models to train; yield their records (see `run_epoch`)."""
        while self.epoch < self.recipe.epochs and self.alive:
            yield from self.run_epoch(listen)

    def _train(self, listen: Callable[[], bool] | None) -> None:
        """Take the steps of the epoch in hand that have not been taken yet."""
        self.model.train()
        epoch, samples, kind = self.epoch + 1, len(self.inputs), self.recipe.augment
        lr = self.recipe.lr_at(epoch)
        order = torch.stack([batch_order(seed, epoch, samples) for seed in self.seeds]).to(self.device)
        moves = None
        if kind != "none":
            moves = torch.stack([augment.draw(kind, seed, epoch, samples) for seed in self.seeds]).to(self.device)
        for index in order.split(self._batch_sizes(), dim=1)[self._batches :]:  # (seeds, b)
            _listen(listen)
            moved = None if moves is None else moves.gather(1, index[..., None].expand(-1, -1, 4))
            losses, norms = self._step(index, lr, moved)
            self._sums[0].add_(losses, alpha=index.shape[1])
            self._sums[1] += norms
            self._batches += 1
            self.share = min(self._batches * self.recipe.batch, samples) / self._work

    def _batch_sizes(self) -> list[int]:
        """Samples in each batch of an epoch; with batch norm one left over joins the batch before: it has no spread."""
        whole, rest = divmod(len(self.inputs), self.recipe.batch)
        sizes = [self.recipe.batch] * whole + [rest] * (rest > 0)
        if rest == 1 and whole and is_convolutional(self.recipe.network):
            sizes[-2:] = [self.recipe.batch + 1]
        return sizes

    def _survivors(self, epoch: int) -> Tensor:
        """Let the lanes leave that have diverged; return the others' mean loss and mean gradient norm, (2, L)."""
        means = self._sums / torch.tensor([[len(self.inputs)], [self._batches]], device=self.device)
        finite = means.isfinite().all(dim=0) & torch.stack(
            [p.isfinite().flatten(1).all(dim=1) for p in self.model.parameters()]
        ).all(dim=0)
        if not finite.all():
            for i in (~finite).nonzero().flatten().tolist():
                self.ended[self.alive[i]] = f"Diverged in epoch {epoch}: {_diverged(means[:, i].tolist())}."
            self._keep(finite.nonzero().flatten())
        return means[:, finite]

    def _step(self, index: Tensor, lr: float, moves: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Take one step of SGD in every lane; index (seeds, b). Returns mean loss and gradient norm, (L,) each."""
        lanes = len(self.alive)
        x = self.normal(self.inputs[index], moves)
        if len(self.seeds) not in (1, lanes) or (len(self.seeds) == lanes > 1):
            x = x[self.seed_of]
        labels = self.given.gather(1, index[self.seed_of] if len(self.seeds) > 1 else index.expand(lanes, -1))
        losses = self.losses(self.model(x), labels).mean(dim=1)
        scaled = losses if self.scale is None else losses * self.scale
        parameters: list[Tensor] = list(self.model.parameters())
        gradients = torch.autograd.grad(scaled.sum(), parameters)
        with torch.no_grad():
            norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients])
            norm = torch.linalg.vector_norm(norms, dim=0)
            clip = (self.recipe.clip / (norm + 1e-6)).clamp_(max=1.0)
            clips = [clip.view(-1, *[1] * (g.ndim - 1)) for g in gradients]
            torch._foreach_mul_(self.velocity, self.recipe.momentum)
            torch._foreach_addcmul_(self.velocity, gradients, clips)
            if self.recipe.weight_decay:
                torch._foreach_add_(self.velocity, parameters, alpha=self.recipe.weight_decay)
            torch._foreach_add_(parameters, self.velocity, alpha=-lr)
        return losses.detach(), norm

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of every sample in every lane: logits (L, B, K), labels (L, B) -> (L, B)."""
        sizes = [group.lanes for group in self.groups]
        parts = zip(self.groups, logits.split(sizes), labels.split(sizes), strict=True)
        return _joined([per_sample(group.loss, z, y, group.hyperparameters) for group, z, y in parts])

    @torch.no_grad()
    def logits(self, inputs: Tensor, listen: Callable[[], bool] | None = None) -> Iterator[Tensor]:
        """Yield the logits of stored inputs (N, *shape) in every lane, some inputs at a time: (L, n, K)."""
        self.model.eval()
        size = 4096
        if self.device.type == "cpu":  # what stays in the cache; layers of pictures are larger
            size = max(512, size // len(self.alive)) if self.recipe.network.startswith("mlp") else 512
        for x in inputs.split(size):
            _listen(listen)
            yield self.model(self.normal(x[None]))
            self.share += len(x) / 3 / self._work

    def predict(self, inputs: Tensor, listen: Callable[[], bool] | None = None) -> Tensor:
        """Predict the class of every stored input in every lane: (N, *shape) -> (L, N)."""
        return _joined([z.argmax(dim=-1) for z in self.logits(inputs, listen)], dim=1)

    def _test(self, listen: Callable[[], bool] | None) -> tuple[Tensor, Tensor]:
        """Predicted classes of the test set, (L, N), and each lane's mean probability of the true class, (L,)."""
        predictions, sums, start = [], torch.zeros(len(self.alive), dtype=torch.float64), 0
        for z in self.logits(self.test_inputs, listen):
            predictions.append(z.argmax(dim=-1))
            true = self.test_true[start : start + z.shape[1]].expand(len(z), -1)[..., None]
            sums += (z.gather(2, true)[..., 0] - z.logsumexp(dim=2)).exp().cpu().sum(dim=1, dtype=torch.float64)
            start += z.shape[1]
        return _joined(predictions, dim=1), sums / start

    def _dead(self, predictions: Tensor) -> list[int]:
        """How many classes of the test set each lane predicts for none of its samples."""
        among = torch.zeros(len(predictions), self.classes, dtype=torch.bool, device=self.device)
        among[:, self.test_true] = True
        return among.scatter_(1, predictions, False).sum(dim=1).tolist()

    def _records(self, epoch: int, means: list[list[float]], listen: Callable[[], bool] | None = None) -> list[Record]:
        """Evaluate every lane on the test set and, as it memorises, on the training set."""
        true, given = self.true[self.measured], self.given[:, self.measured]
        self.share = len(self.inputs) / self._work
        train_predictions = self.predict(self.inputs[self.measured], listen)
        self.test_predictions, confidence = self._test(listen)
        self.train_predictions = train_predictions  # both are of one epoch, though a Stop comes between
        clean = given == true
        right, parroted = self.train_predictions == true, self.train_predictions == given
        columns = {
            "test_accuracy": (self.test_predictions == self.test_true).double().mean(dim=1).tolist(),
            "clean_accuracy": _share(right, clean),
            "flipped_given_accuracy": _share(parroted, ~clean),
            "flipped_true_accuracy": _share(right, ~clean),
            "confidence": confidence.tolist(),
            "dead_classes": self._dead(self.test_predictions),
        }
        records = []
        for i, (index, lane) in enumerate(zip(self.alive, self.lanes, strict=True)):
            record = {"lane": index, **lane._asdict(), "epoch": epoch, "train_loss": means[0][i]}
            record |= {name: values[i] for name, values in columns.items()}
            records.append(record | {"grad_norm": means[1][i]})
        return sorted(records, key=lambda record: record["lane"])

    def _keep(self, positions: Tensor) -> None:
        """Go on with some of the lanes only."""
        for module in self.model.modules():
            for name, p in list(module.named_parameters(recurse=False)):
                setattr(module, name, torch.nn.Parameter(p.detach()[positions].clone()))
            for name, buffer in list(module.named_buffers(recurse=False)):
                setattr(module, name, buffer[positions].clone())
        self.velocity = [v[positions].clone() for v in self.velocity]
        self._sums = self._sums[:, positions].clone()
        self.given = self.given[positions]
        self.alive = [self.alive[i] for i in positions.tolist()]
        if self.alive:
            self._arrange()

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next batch depends on, as tensors on the CPU with plain names."""
        tensors = dict(self.model.state_dict())
        names = [name for name, _ in self.model.named_parameters()]
        tensors |= {f"velocity.{name}": v for name, v in zip(names, self.velocity, strict=True)}
        tensors |= {"alive": torch.tensor(self.alive), "epoch": torch.tensor(self.epoch)}
        tensors |= {"batches": torch.tensor(self._batches), "sums": self._sums}
        tensors["seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}

    def load_state(self, tensors: dict[str, Tensor], ended: dict[int, str] | None = None) -> None:
        """Go back to a saved state; `ended` are the reasons of the lanes that had left by then."""
        alive = tensors["alive"].tolist()
        unknown = set(alive) - set(self.alive)
        if unknown:
            raise InputError(f"checkpoint: lanes {self.alive} are expected, got {alive}")
        self._keep(torch.tensor([self.alive.index(i) for i in alive], dtype=torch.long, device=self.device))
        self.model.load_state_dict({k: tensors[k] for k in self.model.state_dict()})
        names = [name for name, _ in self.model.named_parameters()]
        self.velocity = [tensors[f"velocity.{name}"].to(self.device).clone() for name in names]
        self.epoch, self._spent = int(tensors["epoch"]), float(tensors["seconds"])
        # Checkpoints of earlier versions were made between epochs alone.
        self._batches = int(tensors.get("batches", 0))
        self._sums = tensors["sums"].to(self.device).clone() if self._batches else torch.zeros_like(self._sums)
        self.share = min(self._batches * self.recipe.batch, len(self.inputs)) / self._work
        self.ended = dict(ended or {})


def batch_order(seed: int, epoch: int, samples: int) -> Tensor:
    """Return the order of the samples in an epoch: a function of its arguments alone, so a resumed run sees the same.

    >>> sorted(batch_order(3, 1, 4).tolist())
    [0, 1, 2, 3]
    """
    return torch.from_numpy(np.random.default_rng([0x0BA7, seed, epoch]).permutation(samples))


def largest_weight(loss: Loss, classes: int) -> float:
    """Return the largest sample weight -l'(u) u (1 - u) that a loss gives, over u on a fine grid.

    >>> round(largest_weight(parse("ce"), 10), 2), largest_weight(parse("mae"), 10)
    (1.0, 0.25)
    """
    weights = loss.sample_weight(np.linspace(0, 1, 2003)[1:-1], classes)
    return float(np.max(weights[np.isfinite(weights)]))


def _listen(listen: Callable[[], bool] | None) -> None:
    if listen is not None and listen():
        raise Stopped


def _joined(parts: list[Tensor], dim: int = 0) -> Tensor:
    """The parts as one tensor; a single one as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)


def _share(hits: Tensor, among: Tensor) -> list[float | None]:
    """Return each lane's share of hits among the chosen samples; None where there are none."""
    totals, counts = among.sum(dim=1).tolist(), (hits & among).sum(dim=1).tolist()
    return [count / total if total else None for count, total in zip(counts, totals, strict=True)]


def _diverged(means: list[float]) -> str:
    what = "training loss" if not np.isfinite(means[0]) else "gradient" if not np.isfinite(means[1]) else None
    return f"the {what} is no longer a finite number" if what else "the weights are no longer finite numbers"
