"""A PyTorch script that reproduces a run without this project.

It is written from the same declarations that trained the run: the formula of each loss, the matrix of each noise, and
the source of the functions that read and split the data and draw noise, weights, batches and augmentation.
"""

import inspect
from functools import reduce
from itertools import pairwise
from pprint import pformat

from sympy import Expr, Float, Rational, Symbol, preorder_traversal
from sympy.printing.pycode import PythonCodePrinter

from alf.data import cifar, declaration, idx, toys
from alf.losses import Loss, parse, u
from alf.losses.compile import LOG_U, LOG_V, V, in_coordinates
from alf.noise import drawing
from alf.training import augment
from alf.training.networks_spec import PLANS, hidden_widths
from alf.training.recipe import Recipe


def script(recipe: Recipe) -> str:
    """Write a stand-alone PyTorch script that trains every lane of a recipe, one model after another.

    It needs torch, numpy and, for digits, scikit-learn; the folder with the files of MNIST, Fashion-MNIST and CIFAR is
    its argument. It prints one JSON object per epoch and model.
    """
    losses = "\n\n\n".join(_loss(parse(spec), f"loss_{i}", recipe) for i, spec in enumerate(recipe.losses))
    values = {name: value for name, value in recipe.to_dict().items() if name not in ("losses", "noise", "seeds")}
    return _SCRIPT.format(
        recipe=pformat(values, sort_dicts=False, width=100),
        seeds=list(recipe.seeds),
        losses=losses,
        table="{" + ", ".join(f"{spec!r}: loss_{i}" for i, spec in enumerate(recipe.losses)) + "}",
        data=_data(recipe),
        noise=_noise(recipe),
        network=_network(recipe),
        moves=_moves(recipe),
    )


class _Printer(PythonCodePrinter):
    """Prints formulas with torch's functions."""

    def _print_Function(self, expr) -> str:
        return f"torch.{expr.func.__name__.lower()}({', '.join(map(self._print, expr.args))})"

    _print_exp = _print_log = _print_sin = _print_cos = _print_tan = _print_sinh = _print_cosh = _print_Function
    _print_tanh = _print_atan = _print_Abs = _print_sign = _print_Function

    def _print_Pow(self, expr, rational=True) -> str:
        return super()._print_Pow(expr, rational=True)  # x**0.5 rather than a sqrt that the script does not have

    def _print_Max(self, expr) -> str:
        return self._folded("maximum", expr.args)

    def _print_Min(self, expr) -> str:
        return self._folded("minimum", expr.args)

    def _folded(self, name: str, args) -> str:
        """Both take two tensors; one of the arguments may be a number."""
        return reduce(lambda x, y: f"torch.{name}({x}, {y})", (f"torch.as_tensor({self._print(a)})" for a in args))


_NAMES = {u: Symbol("u"), LOG_U: Symbol("log_u"), V: Symbol("v"), LOG_V: Symbol("log_v")}


def _code(expression: Expr) -> str:
    """Print an expression in the coordinates u, log_u, v, log_v."""
    printable = in_coordinates(expression).xreplace(_NAMES)
    constants = {c: Float(c, 17) for c in printable.atoms(Rational) if not c.is_Integer}
    closed = {e: Float(e.evalf(20), 17) for e in preorder_traversal(printable) if e.is_number and not e.is_Rational}
    return _Printer({"fully_qualified_modules": False}).doprint(printable.xreplace(closed).xreplace(constants))


def _loss(loss: Loss, name: str, recipe: Recipe) -> str:
    """Write one loss as a function of logits and labels."""
    classes = {Symbol("K", integer=True, positive=True): recipe.dataset.classes}
    lines = [
        f"def {name}(logits, labels):",
        f'    """{loss.label}."""',
        "    log_u = logits.log_softmax(dim=1)",
        "    u = log_u.exp()",
        "    v = (1 - u).clamp_min(torch.finfo(u.dtype).eps / 2)",
        "    log_v = v.log()",
    ]
    for symbol, summand in loss.exact_sums:
        lines.append(f"    {symbol} = ({_code(summand.subs(classes))} + torch.zeros_like(u)).sum(dim=1)")
    lines.append("    u, log_u, v, log_v = (x.gather(1, labels[:, None])[:, 0] for x in (u, log_u, v, log_v))")
    scale = ""
    if recipe.equal_scale:
        from alf.training.trainer import largest_weight

        scale = f" / {largest_weight(loss, recipe.dataset.classes)!r}"
    lines.append(f"    return (({_code(loss.exact.subs(classes))} + torch.zeros_like(u))){scale}")
    return "\n".join(lines)


def _data(recipe: Recipe) -> str:
    """Write the function that reads, splits and normalises the data."""
    declared = recipe.dataset
    head = "def read_data():\n"
    parts = [inspect.getsource(declaration.stratified)]
    whole = recipe.data.partition(":")[0]
    if whole == "digits":
        body = (
            "    from sklearn.datasets import load_digits\n\n"
            "    bunch = load_digits()\n"
            "    inputs, labels = bunch.images[:, None], bunch.target\n"
            "    train, test = stratified(labels, share=0.2, seed=0)\n"
            "    data = inputs[train], labels[train], inputs[test], labels[test]\n"
        )
    elif declared.shape == (2,):
        toy = toys.GENERATED[whole]
        parts.append(inspect.getsource(toy.make))
        body = (
            f"    random = np.random.default_rng([0x7045, {toy.seed}])\n"
            f"    labels = np.arange({toy.size + toys.SIZE}) % {toy.classes}\n"
            "    random.shuffle(labels)\n"
            f"    points = {toy.make.__name__}(random, labels).astype(np.float32)\n"
            f"    data = points[:{toy.size}], labels[:{toy.size}], points[{toy.size}:], labels[{toy.size}:]\n"
        )
    elif whole.startswith("cifar"):
        parts.append("_PIXELS = 3 * 32 * 32\n")
        parts.append(inspect.getsource(cifar.parse_records).replace("InputError", "ValueError"))
        body = _cifar(recipe)
    else:
        source = inspect.getsource(idx.parse_idx)
        parts.append(source.replace("InputError", "ValueError"))
        body = (
            f"    folder = Path(sys.argv[1])  # with the four .gz files of {declared.name}\n"
            f"    names = {[name + '.gz' for name in idx._NAMES]!r}\n"
            "    images, labels, test, test_labels = (parse_idx(gzip.open(folder / name).read()) for name in names)\n"
            "    data = images[:, None], labels, test[:, None], test_labels\n"
        )
    body += "    inputs, labels, test_inputs, test_labels = data\n"
    if recipe.data != whole:
        body += (
            f"    train, test = labels < {declared.classes}, test_labels < {declared.classes}\n"
            "    inputs, labels, test_inputs, test_labels = "
            "inputs[train], labels[train], test_inputs[test], test_labels[test]\n"
        )
    if recipe.samples is not None:
        body += (
            f"    used = stratified(labels, {recipe.samples} / len(labels), seed=0)[1]\n"
            "    inputs, labels = inputs[used], labels[used]\n"
        )
    body += "    return inputs, labels.astype(np.int64), test_inputs, test_labels.astype(np.int64)\n"
    normal = (
        f"SHAPE = (-1,) + (1,) * {len(declared.shape) - 1}\n"
        f"MEAN = np.array({list(declared.mean)}, np.float32).reshape(SHAPE)\n"
        f"STD = np.array({list(declared.std)}, np.float32).reshape(SHAPE)\n\n\n"
        "def normalise(inputs):\n"
        '    """Turn raw inputs into what the network sees."""\n'
        f"    return (inputs.astype(np.float32) / np.float32({declared.high}) - MEAN) / STD\n"
    )
    return "\n\n".join([*parts, head + body, normal])


def _cifar(recipe: Recipe) -> str:
    """Write how the binary distribution is read; of CIFAR-10 the batches that are there, where a part will do."""
    if recipe.data.partition(":")[0] == "cifar10":
        names, test, label_bytes = [f"data_batch_{i}.bin" for i in range(1, 6)], "test_batch.bin", 1
    else:
        names, test, label_bytes = ["train.bin"], "test.bin", 2
    there = " if (folder / name).exists()" if recipe.samples is not None else ""
    return (
        f"    folder = Path(sys.argv[1])  # with the .bin files of {recipe.dataset.name}\n"
        f"    names = [name for name in {names!r}{there}]\n"
        f"    batches = [parse_records((folder / name).read_bytes(), {label_bytes}) for name in names]\n"
        f"    test = parse_records((folder / {test!r}).read_bytes(), {label_bytes})\n"
        "    train = (np.concatenate(part) for part in zip(*batches))\n"
        "    data = *train, *test\n"
    )


def _noise(recipe: Recipe) -> str:
    """Write the noises, and the function that draws the given labels."""
    parsed = {spec: recipe.parse_noise(spec) for spec in recipe.noise}
    matrices = {spec: None if n.transition is None else n.transition.tolist() for spec, n in parsed.items()}
    shown = pformat(matrices, width=118, compact=True)
    parts = [f"NOISES = {shown}  # P(given j | true i), None for noise that depends on the instance"]
    draws = "draw_labels(np.array(matrix)[labels], random)"
    if None in matrices.values():
        parts[0] += f"\nSPREAD = {drawing.SPREAD}"
        parts.append(inspect.getsource(drawing.instance_labels).replace("InputError", "ValueError"))
        instance = f'instance_labels(labels, float(noise.partition(":")[2]), {recipe.dataset.classes}, random, inputs)'
        draws = f"{draws} if matrix is not None else \\\n        {instance}"
    parts.append(inspect.getsource(drawing.draw_labels))
    parts.append(
        "def corrupt(labels, noise, seed, inputs):\n"
        '    """Draw the given labels."""\n'
        "    matrix, random = NOISES[noise], np.random.default_rng([0x6E6F, seed])\n"
        f"    return {draws}\n"
    )
    return "\n\n".join(parts)


def _moves(recipe: Recipe) -> str:
    """Write what happens to the inputs of a batch before the network sees them."""
    if recipe.augment == "none":
        return (
            "def batch(inputs, index, moves):\n"
            '    """Return the inputs of a batch; they have been normalised before."""\n'
            "    return inputs[index]\n"
        )
    source = inspect.getsource(augment.draw) + "\n\n" + inspect.getsource(augment.apply)
    return (
        f"SHIFT, TURN = {augment.SHIFT}, {augment.TURN}\n\n\n{source}\n\n"
        "def batch(inputs, index, moves):\n"
        '    """Return the inputs of a batch, moved and normalised."""\n'
        f"    moved = apply(inputs[index].float() / {recipe.dataset.high}, moves[index])\n"
        "    return (moved - torch.from_numpy(MEAN).to(moved)) / torch.from_numpy(STD).to(moved)\n"
    )


def _network(recipe: Recipe) -> str:
    """Write the function that builds the model and draws its weights."""
    classes, shape = recipe.dataset.classes, recipe.dataset.shape
    if recipe.network == "resnet34":
        return _RESNET.format(channels=shape[0], classes=classes)
    modules = []
    if recipe.network.startswith("mlp:"):
        sizes = [shape[0] if len(shape) == 1 else shape[0] * shape[1] * shape[2], *hidden_widths(recipe.network)]
        modules.append("nn.Flatten()")
        for a, b in pairwise(sizes):
            modules += [f"nn.Linear({a}, {b})", "nn.ReLU()"]
        modules.append(f"nn.Linear({sizes[-1]}, {classes})")
    else:
        channels, height, width = shape
        for step in PLANS[recipe.network]:
            if step == "pool":
                modules.append("nn.MaxPool2d(2)")
                height, width = height // 2, width // 2
            elif isinstance(step, int):
                modules += [f"nn.Conv2d({channels}, {step}, 3, padding=1)", f"nn.BatchNorm2d({step})", "nn.ReLU()"]
                channels = step
            else:
                size = int(step[2:])
                modules += ["nn.Flatten()", f"nn.Linear({channels * height * width}, {size})"]
                modules += [f"nn.BatchNorm1d({size})", "nn.ReLU()"]
                channels, height, width = size, 1, 1
        modules.append(f"nn.Linear({channels}, {classes})")
    wide = "1 / math.sqrt(fan_in)"
    if not recipe.network.startswith("mlp:"):
        wide = "math.sqrt(6 / (fan_in if isinstance(module, nn.Conv2d) else fan_in + module.weight.shape[0]))"
    listed = "".join(f"        {module},\n" for module in modules)
    return (
        "def build(seed):\n"
        f"    model = nn.Sequential(\n{listed}    )\n"
        "    generator = torch.Generator().manual_seed(seed)\n"
        "    with torch.no_grad():\n"
        "        for module in model:\n"
        "            if isinstance(module, nn.Linear | nn.Conv2d):\n"
        "                fan_in = module.weight[0].numel()\n"
        f"                wide, bound = {wide}, 1 / math.sqrt(fan_in)\n"
        "                module.weight.uniform_(-wide, wide, generator=generator)\n"
        "                module.bias.uniform_(-bound, bound, generator=generator)\n"
        "    return model\n"
    )


_RESNET = '''class Block(nn.Module):
    """Two convolutions and what went in, projected where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.norm1 = convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.second, self.norm2 = convolution(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.project = None
        if stride != 1 or inputs != outputs:
            self.project = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        change = self.norm2(self.second(self.norm1(self.first(x)).relu()))
        return (change + (x if self.project is None else self.project(x))).relu()


def convolution(inputs, outputs, size, stride):
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


def build(seed):
    """ResNet-34 for small pictures: a 3 x 3 stem without pooling."""
    layers, inputs = [convolution({channels}, 64, 3, 1), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage, count in enumerate((3, 4, 6, 3)):
        for i in range(count):
            layers.append(Block(inputs, 64 << stage, 2 if stage and i == 0 else 1))
            inputs = 64 << stage
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, {classes}))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                wide = math.sqrt(6 / module.weight[0].numel())
                module.weight.uniform_(-wide, wide, generator=generator)
            elif isinstance(module, nn.Linear):
                wide, bound = math.sqrt(6 / (inputs + {classes})), 1 / math.sqrt(inputs)
                module.weight.uniform_(-wide, wide, generator=generator)
                module.bias.uniform_(-bound, bound, generator=generator)
    return model
'''

_SCRIPT = '''"""Reproduces a run of the Asymmetric Loss Explorer: a JSON line per epoch and model.

Needs torch and numpy, and scikit-learn where the data are its digits. Written by the explorer from the run's recipe.
"""

import gzip
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

RECIPE = {recipe}
SEEDS = {seeds}
DEVICE = "cuda" if RECIPE["device"] in ("auto", "cuda") and torch.cuda.is_available() else "cpu"


{losses}


LOSSES = {table}


{data}

{noise}

{network}

{moves}
def learning_rate(epoch):
    """Return the learning rate of an epoch, counted from 1."""
    lr, schedule, epochs = RECIPE["lr"], RECIPE["schedule"], RECIPE["epochs"]
    for start, changed in RECIPE["changes"]:
        lr = changed if epoch >= start else lr
    return lr if schedule == "constant" else lr * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2


def train(loss, noise, seed, inputs, true, test_inputs, test_labels):
    """Train one model and print its curve."""
    given = torch.from_numpy(corrupt(true, noise, seed, normalise(inputs))).to(DEVICE)
    moving = RECIPE["augment"] != "none"  # then inputs stay raw until their batch comes
    inputs = torch.from_numpy(np.ascontiguousarray(inputs if moving else normalise(inputs))).to(DEVICE)
    test_inputs = torch.from_numpy(normalise(test_inputs)).to(DEVICE)
    test_labels = torch.from_numpy(test_labels).to(DEVICE)
    model = build(seed).to(DEVICE)
    momentum, decay = RECIPE["momentum"], RECIPE["weight_decay"]
    optimiser = torch.optim.SGD(model.parameters(), RECIPE["lr"], momentum, weight_decay=decay)
    for epoch in range(1, RECIPE["epochs"] + 1):
        model.train()
        optimiser.param_groups[0]["lr"] = learning_rate(epoch)
        order = torch.from_numpy(np.random.default_rng([0x0BA7, seed, epoch]).permutation(len(inputs)))
        moves = draw(RECIPE["augment"], seed, epoch, len(inputs)).to(DEVICE) if moving else None
        for index in order.to(DEVICE).split(RECIPE["batch"]):
            value = LOSSES[loss](model(batch(inputs, index, moves)), given[index]).mean()
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clip"])
            optimiser.step()
        model.eval()
        with torch.no_grad():
            right = torch.cat([model(x).argmax(dim=1) for x in test_inputs.split(1000)]) == test_labels
        print(json.dumps({{
            "loss": loss, "noise": noise, "seed": seed, "epoch": epoch, "test_accuracy": right.double().mean().item()
        }}), flush=True)


if __name__ == "__main__":
    arrays = read_data()
    for name in LOSSES:
        for noise in NOISES:
            for seed in SEEDS:
                train(name, noise, seed, *arrays)
'''
