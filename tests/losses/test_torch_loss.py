"""The torch modules against the declared formula in high-precision arithmetic, and their conventions."""

import math
import random

import pytest
import sympy
import torch
from mpmath import mp

from alf.errors import InputError
from alf.losses import K, catalogue, parse, u
from alf.losses.torch_loss import per_sample

CONFIGURATIONS = [loss for d in catalogue().values() for loss in d.configurations()]
by_spec = pytest.mark.parametrize("loss", CONFIGURATIONS, ids=lambda loss: loss.spec)


V = sympy.Symbol("v", positive=True)
"""1 - u, summed from the other classes: as a difference it would need thousands of digits at logits of 1e4."""


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def rows():
    """Logits of every kind: ordinary, saturated, tied, extreme; labels likely and not."""
    rng = random.Random(7)
    for scale in (1, 10, 40):
        for _ in range(2):
            yield [rng.gauss(0, scale) for _ in range(4)]
    yield [0.0, 0.0, 0.0, 0.0]
    yield [1e4, -1e4, 0.0, 3.0]
    yield [-1e4, 1e4, 1e4, -1e4]
    yield [1e4, 1e4 - 1e-3, -1e4, 0.0]
    yield [38.0, 0.0, 0.0, 0.0]


def reference(loss, logits, label):
    """Value and gradient of the *declared* formula: SymPy's expression, mpmath's arithmetic, the softmax Jacobian."""
    exps = [mp.exp(mp.mpf(z)) for z in logits]
    total = sum(exps)
    points = [(e / total, sum(exps[:i] + exps[i + 1 :]) / total) for i, e in enumerate(exps)]
    symbols = [s for s, _ in loss.sums]

    def function(expression, *arguments):
        return sympy.lambdify(arguments, expression.replace(lambda e: e == 1 - u, lambda e: V), "mpmath")

    g = function(loss.exact, u, V, K, *symbols)
    partials = [function(loss.exact.diff(s), u, V, K, *symbols) for s in (u, *symbols)]
    summands = [(function(s, u, V), function(s.diff(u), u, V)) for _, s in loss.exact_sums]
    point = (*points[label], len(logits), *(sum(s(*p) for p in points) for s, _ in summands))
    outer = [d(*point) for d in partials]
    by_prob = [sum(o * ds(*p) for o, (_, ds) in zip(outer[1:], summands, strict=True)) for p in points]
    by_prob[label] += outer[0]
    # p_k (d_k - sum_j p_j d_j), with the cancelling p_k d_k taken out of the difference
    gradient = []
    for k, (p, v) in enumerate(points):
        others = sum(points[j][0] * by_prob[j] for j in range(len(points)) if j != k)
        gradient.append(p * (v * by_prob[k] - others))
    return g(*point), gradient


@by_spec
def test_value_and_gradient_are_those_of_the_formula(loss):
    for logits in rows():
        for label in (0, 1, 3):
            z = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
            value = per_sample(loss, z, torch.tensor([label]))
            (gradient,) = torch.autograd.grad(value.sum(), z)
            expected, slopes = reference(loss, logits, label)
            assert abs(value.item() - expected) <= 1e-6 * max(1, abs(expected)), (logits, label)
            for got, slope in zip(gradient[0].tolist(), slopes, strict=True):
                assert abs(got - slope) <= 1e-6 * max(1, abs(slope)), (logits, label)


@pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
def test_hyperparameters_nobody_chose(declaration):
    """The same at random values over the sliders' ranges, near the ends of their domains included."""
    rng = random.Random(declaration.key)
    for _ in range(4):
        values = {}
        for parameter in declaration.parameters:
            low, high = parameter.slider
            low = low + (high - low) / 500
            values[parameter.name] = round(rng.choice([rng.uniform(low, high), low, high]), 6)
        loss = declaration.loss(**values)
        for logits in ([rng.gauss(0, 3) for _ in range(4)], [rng.gauss(0, 60) for _ in range(4)]):
            label = rng.randrange(4)
            z = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
            value = per_sample(loss, z, torch.tensor([label]))
            (gradient,) = torch.autograd.grad(value.sum(), z)
            expected, slopes = reference(loss, logits, label)
            assert abs(value.item() - expected) <= 1e-6 * max(1, abs(expected)), (loss, logits, label)
            for got, slope in zip(gradient[0].tolist(), slopes, strict=True):
                assert abs(got - slope) <= 1e-6 * max(1, abs(slope)), (loss, logits, label)


@by_spec
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_extreme_logits_stay_finite(loss, dtype):
    # RCE's and AUL's presets times 1e4-sized logs still fit half precision, whose largest number is 65504
    for logits in ([1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [200.0, 0.0, -200.0]):
        for label in range(3):
            z = torch.tensor([logits], dtype=dtype, requires_grad=True)
            value = loss.module()(z, torch.tensor([label]))
            value.backward()
            assert value.dtype == dtype
            assert torch.isfinite(z.grad).all(), (logits, label)
            if dtype != torch.float16 or value.float().abs() < 65504:
                assert torch.isfinite(value), (logits, label, value)


@by_spec
def test_first_and_second_derivatives(loss):
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 3, 1])
    assert torch.autograd.gradcheck(lambda t: per_sample(loss, t, y), (z,))
    assert torch.autograd.gradgradcheck(lambda t: per_sample(loss, t, y), (z,))


@by_spec
def test_large_batches_agree_with_small_ones(loss):
    """Above a size the work is done in chunks; the numbers must not show it."""
    generator = torch.Generator().manual_seed(5)
    z = torch.randn(300, 400, generator=generator, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 400, (300,), generator=generator)
    whole = per_sample(loss, z, y)
    parts = torch.cat([per_sample(loss, z[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)])
    torch.testing.assert_close(whole, parts)
    weights = torch.randn(300, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(*(torch.autograd.grad((f * weights).sum(), z)[0] for f in (whole, parts)))


@by_spec
def test_hyperparameter_tensors_are_lanes(loss):
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, 5, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 4, (2, 5), generator=generator)
    values = {n: torch.tensor([[v], [v]], dtype=torch.float64) for n, v in loss.floats.items()}
    lanes = per_sample(loss, z, y, values)
    one_by_one = torch.stack([per_sample(loss, z[i], y[i]) for i in range(2)])
    torch.testing.assert_close(lanes, one_by_one)
    torch.testing.assert_close(*(torch.autograd.grad(x.sum(), z)[0] for x in (lanes, one_by_one)))


def test_lanes_with_different_values():
    z, y = torch.randn(2, 5, 3), torch.randint(0, 3, (2, 5))
    lanes = per_sample(
        parse("agce:a=1,q=1"), z, y, {"a": torch.tensor([[0.6], [4.0]]), "q": torch.tensor([[0.6], [0.2]])}
    )
    torch.testing.assert_close(lanes[0], per_sample(parse("agce:a=0.6,q=0.6"), z[0], y[0]))
    torch.testing.assert_close(lanes[1], per_sample(parse("agce:a=4,q=0.2"), z[1], y[1]))


class TestConventions:
    """Those of torch.nn.CrossEntropyLoss, which CE must reproduce wholly."""

    @pytest.mark.parametrize("shape", [(7, 5), (4, 5, 3), (2, 5, 3, 6)])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @pytest.mark.parametrize("ignored", [False, True])
    @pytest.mark.parametrize("ignore_index", [-100, 2])
    def test_against_torch(self, shape, reduction, ignored, ignore_index):
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(shape, generator=generator, requires_grad=True)
        y = torch.randint(0, 5, (shape[0], *shape[2:]), generator=generator)
        if ignored:
            y.view(-1)[::3] = ignore_index
        ours = parse("ce").module(reduction=reduction, ignore_index=ignore_index)(z, y)
        theirs = torch.nn.functional.cross_entropy(z, y, reduction=reduction, ignore_index=ignore_index)
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(*(torch.autograd.grad(x.sum(), z)[0] for x in (ours, theirs)))

    def test_single_sample(self):
        z = torch.randn(5)
        torch.testing.assert_close(
            parse("ce").module()(z, torch.tensor(2)), torch.nn.functional.cross_entropy(z, torch.tensor(2))
        )

    def test_everything_ignored_is_nan_as_in_torch(self):
        assert math.isnan(parse("mae").module()(torch.zeros(2, 3), torch.tensor([-100, -100])).item())

    def test_infinite_logit_at_the_label_gives_the_limit(self):
        z = torch.tensor([[-math.inf, 0.0]])
        assert parse("ce").module()(z, torch.tensor([0])).item() == math.inf
        assert parse("mae").module()(z, torch.tensor([0])).item() == 1

    def test_tensors_of_hyperparameters_are_buffers(self):
        module = parse("ael:a=2").module(a=torch.tensor([1.0, 2.0]), reduction="none")
        assert list(module.state_dict()) == ["a"]
        z = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        first, second = module(z, torch.tensor([0, 0]))
        assert first.item() == pytest.approx(parse("ael:a=1").module()(z, torch.tensor([0, 0])).item())
        assert second.item() == pytest.approx(parse("ael:a=2").module()(z, torch.tensor([0, 0])).item())

    @pytest.mark.parametrize(
        ("logits", "target", "error", "message"),
        [
            (torch.zeros(2, 3), torch.tensor([0, 3]), IndexError, r"MAE: a target must lie in \[0, 3\).*got 3"),
            (torch.zeros(2, 3), torch.tensor([0, -1]), IndexError, r"MAE: a target must lie in \[0, 3\).*got -1"),
            (torch.zeros(2, 1), torch.tensor([0, 0]), InputError, "MAE: logits must have at least 2 classes, got 1"),
            (torch.zeros(2, 3), torch.tensor([0]), InputError, r"got logits \(2, 3\) and targets \(1,\)"),
            (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), InputError, "class indices of type torch.int64"),
            (torch.zeros(2, 3, dtype=torch.int64), torch.tensor([0, 1]), InputError, "floating point"),
        ],
    )
    def test_bad_input(self, logits, target, error, message):
        with pytest.raises(error, match=message):
            parse("mae").module()(logits, target)

    def test_bad_settings(self):
        with pytest.raises(InputError, match="reduction must be one of mean, sum, none, got 'avg'"):
            parse("mae").module(reduction="avg")
        with pytest.raises(InputError, match=r"AEL: a must lie in \(0, oo\), got -1"):
            parse("ael:a=2").module(a=torch.tensor([1.0, -1.0]))
        with pytest.raises(InputError, match="AEL: no hyperparameter 'b'; it has a"):
            parse("ael:a=2").module(b=1.0)
        with pytest.raises(InputError, match="cannot be trained"):
            parse("ael:a=2").module(a=torch.tensor(2.0, requires_grad=True))


def test_a_wrong_slope_would_be_caught(monkeypatch):
    """The comparison above must be able to fail: flip the sign of one compiled derivative."""
    from alf.losses.compile import Compiled

    original = Compiled.partials.func
    loss = parse("gce:q=0.31")
    monkeypatch.setattr(
        Compiled,
        "partials",
        property(lambda self: tuple(Compiled(-p.expression, p.inputs, p.constants) for p in original(self))),
    )
    from alf.losses import compile as module

    module.compiled.cache_clear()
    try:
        with pytest.raises(AssertionError):
            test_value_and_gradient_are_those_of_the_formula(loss)
    finally:
        module.compiled.cache_clear()
