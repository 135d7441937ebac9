"""A run to take away: its curves as CSV or JSON, and a PyTorch script that reproduces it without this project.

The script is written from the same declarations that trained the run: the formula of each loss, the matrix of each
noise, and the source of the functions that split the data and draw noise, weights and batches.
"""

import csv
import inspect
import io
import json
from collections.abc import Iterable
from itertools import pairwise
from pprint import pformat

from sympy import Abs, Expr, Float, Max, Min, Rational, Symbol, preorder_traversal, sign
from sympy.functions.special.delta_functions import Heaviside
from sympy.printing.pycode import PythonCodePrinter

from alf.data import declaration, idx, toys
from alf.errors import InputError
from alf.losses import Loss, parse
from alf.losses.compile import LOG_U, LOG_V, V, in_coordinates, u
from alf.training.networks_spec import PLANS, hidden_widths
from alf.training.recipe import Recipe
from alf.training.records import RECORD_KEYS


def csv_text(records: Iterable[dict]) -> str:
    """Write epoch records as CSV, one line an epoch and lane; what does not exist is empty.

    >>> print(csv_text([dict.fromkeys(RECORD_KEYS, 0) | {"loss": "agce:a=4,q=0.2"}]).splitlines()[1])
    0,0,"agce:a=4,q=0.2",0,0,0,0,0,0,0,0,0,0
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, RECORD_KEYS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def json_text(recipe: Recipe, records: Iterable[dict]) -> str:
    """Write a recipe and its records as JSON: ``{"recipe": {...}, "records": [...]}``."""
    return json.dumps({"recipe": recipe.to_dict(), "records": list(records)}, indent=1)


def script(recipe: Recipe) -> str:
    """Write a stand-alone PyTorch script that trains every lane of a recipe, one model after another.

    It needs torch, numpy and, for digits, scikit-learn, and prints one JSON object per epoch and model.

    Raises
    ------
    InputError
        The recipe has something that is not exported: residual networks, augmentation, instance-dependent noise,
        CIFAR, or a loss with min, max or absolute values.
    """
    refused = [
        (recipe.network == "resnet34", f"network {recipe.network}"),
        (recipe.augment != "none", f"augmentation {recipe.augment}"),
        (recipe.data.startswith("cifar"), f"data {recipe.data}"),
        (any(noise.startswith("instance") for noise in recipe.noise), "instance-dependent noise"),
    ]
    for is_refused, what in refused:
        if is_refused:
            allowed = "an MLP or plain CNN on digits, MNIST, Fashion-MNIST or points"
            raise InputError(f"script: must be of {allowed}, got {what}")
    losses = "\n\n\n".join(_loss(parse(spec), f"loss_{i}", recipe) for i, spec in enumerate(recipe.losses))
    matrices = {spec: recipe.parse_noise(spec).transition.tolist() for spec in recipe.noise}
    values = {name: value for name, value in recipe.to_dict().items() if name not in ("losses", "noise", "seeds")}
    return _SCRIPT.format(
        recipe=pformat(values, sort_dicts=False, width=100),
        noises=pformat(matrices, width=118, compact=True),
        seeds=list(recipe.seeds),
        losses=losses,
        table="{" + ", ".join(f"{spec!r}: loss_{i}" for i, spec in enumerate(recipe.losses)) + "}",
        data=_data(recipe),
        network=_network(recipe),
    )


class _Printer(PythonCodePrinter):
    """Prints formulas with torch's functions."""

    def _print_Function(self, expr) -> str:
        return f"torch.{expr.func.__name__}({', '.join(map(self._print, expr.args))})"

    _print_exp = _print_log = _print_sin = _print_cos = _print_tan = _print_sinh = _print_cosh = _print_Function
    _print_tanh = _print_atan = _print_Function

    def _print_Rational(self, expr) -> str:
        return repr(float(expr))


_NAMES = {u: Symbol("u"), LOG_U: Symbol("log_u"), V: Symbol("v"), LOG_V: Symbol("log_v")}


def _code(expression: Expr) -> str:
    """Print an expression in the coordinates u, log_u, v, log_v."""
    if expression.has(Min, Max, Abs, sign, Heaviside):
        raise InputError(f"script: a loss with min, max or absolute values is not exported, got {str(expression)[:80]}")
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
    if recipe.data == "digits":
        body = (
            "    from sklearn.datasets import load_digits\n\n"
            "    bunch = load_digits()\n"
            "    inputs, labels = bunch.images[:, None], bunch.target\n"
            "    train, test = stratified(labels, share=0.2, seed=0)\n"
            "    data = inputs[train], labels[train], inputs[test], labels[test]\n"
        )
    elif declared.shape == (2,):
        make, seed = {"blobs": (toys.blobs, 1), "moons": (toys.moons, 2)}.get(recipe.data) or {
            "circles": (toys.circles, 3),
            "spirals": (toys.spirals, 4),
        }[recipe.data]
        parts.append(inspect.getsource(make))
        body = (
            f"    random = np.random.default_rng([0x7045, {seed}])\n"
            f"    labels = np.arange({2 * toys.SIZE}) % {declared.classes}\n"
            "    random.shuffle(labels)\n"
            f"    points = {make.__name__}(random, labels).astype(np.float32)\n"
            f"    data = points[:{toys.SIZE}], labels[:{toys.SIZE}], points[{toys.SIZE}:], labels[{toys.SIZE}:]\n"
        )
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
    if recipe.samples is not None:
        body += (
            f"    used = stratified(labels, {recipe.samples} / len(labels), seed=0)[1]\n"
            "    inputs, labels = inputs[used], labels[used]\n"
        )
    body += (
        f"    shape = (-1,) + (1,) * {len(declared.shape) - 1}\n"
        f"    mean = np.array({list(declared.mean)}, np.float32).reshape(shape)\n"
        f"    std = np.array({list(declared.std)}, np.float32).reshape(shape)\n"
        f"    inputs, test_inputs = ((x.astype(np.float32) / np.float32({declared.high}) - mean) / std"
        " for x in (inputs, test_inputs))\n"
        "    return inputs, labels.astype(np.int64), test_inputs, test_labels.astype(np.int64)\n"
    )
    return "\n\n".join([*parts, head + body])


def _network(recipe: Recipe) -> str:
    """Write the function that builds the model and draws its weights."""
    classes, shape = recipe.dataset.classes, recipe.dataset.shape
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
from torch import nn

RECIPE = {recipe}
NOISES = {noises}  # P(given j | true i)
SEEDS = {seeds}


{losses}


LOSSES = {table}


{data}

def corrupt(labels, transition, seed):
    """Draw the given labels by inverting the cumulative sums of the matrix's rows."""
    random = np.random.default_rng([0x6E6F, seed])
    cumulative = np.array(transition)[labels].cumsum(axis=1)
    cumulative /= cumulative[:, -1:]
    return (random.random(len(labels))[:, None] >= cumulative).sum(axis=1)


{network}

def learning_rate(epoch):
    """Return the learning rate of an epoch, counted from 1."""
    lr, schedule, epochs = RECIPE["lr"], RECIPE["schedule"], RECIPE["epochs"]
    for start, changed in RECIPE["changes"]:
        lr = changed if epoch >= start else lr
    return lr if schedule == "constant" else lr * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2


def train(loss, noise, seed, inputs, true, test_inputs, test_labels):
    """Train one model and print its curve."""
    given = torch.from_numpy(corrupt(true.numpy(), NOISES[noise], seed))
    model = build(seed)
    momentum, decay = RECIPE["momentum"], RECIPE["weight_decay"]
    optimiser = torch.optim.SGD(model.parameters(), RECIPE["lr"], momentum, weight_decay=decay)
    for epoch in range(1, RECIPE["epochs"] + 1):
        model.train()
        optimiser.param_groups[0]["lr"] = learning_rate(epoch)
        order = torch.from_numpy(np.random.default_rng([0x0BA7, seed, epoch]).permutation(len(inputs)))
        for index in order.split(RECIPE["batch"]):
            value = LOSSES[loss](model(inputs[index]), given[index]).mean()
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clip"])
            optimiser.step()
        model.eval()
        with torch.no_grad():
            right = model(test_inputs).argmax(dim=1) == test_labels
        print(json.dumps({{
            "loss": loss, "noise": noise, "seed": seed, "epoch": epoch, "test_accuracy": right.double().mean().item()
        }}), flush=True)


if __name__ == "__main__":
    arrays = [torch.from_numpy(np.ascontiguousarray(array)) for array in read_data()]
    for name in LOSSES:
        for noise in NOISES:
            for seed in SEEDS:
                train(name, noise, seed, *arrays)
'''
