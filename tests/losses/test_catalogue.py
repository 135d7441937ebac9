"""The catalogue against the formulas of the literature, typed here by hand, and relations between losses."""

import subprocess
import sys

import numpy as np
import pytest
import sympy
from mpmath import mp
from numpy import exp, log

from alf.errors import InputError
from alf.losses import K, catalogue, parse, u

A = log(1e-4)
U = np.array([0.013, 0.2, 0.5, 0.77, 0.999])
P = np.array([[0.5, 0.3, 0.2], [0.05, 0.05, 0.9], [1 / 3, 1 / 3, 1 / 3]])

POINTWISE = {
    "ce": lambda u: -log(u),
    "fl:gamma=2": lambda u: -((1 - u) ** 2) * log(u),
    "mae": lambda u: 1 - u,
    "mae:scale=2": lambda u: 2 - 2 * u,
    "rce": lambda u: 9.210340371976184 * (1 - u),
    "sce:alpha=0.5,beta=2": lambda u: -0.5 * log(u) - 2 * A * (1 - u),
    "gce:q=0.7": lambda u: (1 - u**0.7) / 0.7,
    "agce:a=0.6,q=0.6": lambda u: (1.6**0.6 - (0.6 + u) ** 0.6) / 0.6,
    "aul:a=5.5,p=3": lambda u: ((5.5 - u) ** 3 - 4.5**3) / 3,
    "ael:a=2.5": lambda u: exp(-u / 2.5),
}

BY_LABEL = {
    "mse": lambda p: ((p**2).sum() - 2 * p + 1) / len(p),
    "nce": lambda p: log(p) / log(p).sum(),
    "nfl:gamma=0.5": lambda p: (1 - p) ** 0.5 * log(p) / ((1 - p) ** 0.5 * log(p)).sum(),
    "ngce:q=0.7": lambda p: (1 - p**0.7) / (1 - p**0.7).sum(),
    "nlnl": lambda p: (
        np.array([-sum(log(1 - p[j]) for j in range(len(p)) if j != i) for i in range(len(p))]) / (len(p) - 1)
    ),
    "anl:a=2.5,p=2": lambda p: ((2.5 - p) ** 2 + (p**2).sum() - p**2 - 1.5**2) / 2,
    "amse:a=3": lambda p: ((p**2).sum() - 6 * p + 9) / len(p),
    "nce+agce:alpha=1,beta=4,a=6,q=1.5": lambda p: log(p) / log(p).sum() + 4 * (7**1.5 - (6 + p) ** 1.5) / 1.5,
    "nfl+anl:alpha=2,beta=3,gamma=0,a=2,p=1": lambda p: 2 * log(p) / log(p).sum() + 3 * (1 - 2 * p + p.sum()),
}


@pytest.mark.parametrize("spec", POINTWISE)
def test_pointwise_formulas(spec):
    np.testing.assert_allclose(parse(spec).value(U), POINTWISE[spec](U), rtol=1e-10)
    assert parse(spec).pointwise


@pytest.mark.parametrize("spec", BY_LABEL)
def test_formulas_of_the_whole_vector(spec):
    np.testing.assert_allclose(parse(spec).vector(P), [BY_LABEL[spec](p) for p in P], rtol=1e-10)
    assert not parse(spec).pointwise


def test_every_declaration_has_a_hand_typed_formula():
    single = {key for key in catalogue() if "+" not in key}
    assert {s.split(":")[0] for s in (*POINTWISE, *BY_LABEL)} >= single


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("agce:a=3,q=1", "mae", 1),
        ("aul:a=3,p=1", "mae", 1),
        ("gce:q=1", "mae", 1),
        ("rce:A=-2", "mae", 2),
        ("fl:gamma=0", "ce", 1),
        ("nfl:gamma=0", "nce", 1),
        ("amse:a=1", "mse", 1),
        ("sce:alpha=1,beta=0", "ce", 1),
        ("nce+agce:alpha=3,beta=0,a=1,q=2", "nce", 3),
        ("nce+ael:alpha=0,beta=2,a=2", "ael:a=2", 2),
    ],
)
def test_relations(one, other, factor):
    np.testing.assert_allclose(parse(one).vector(P), factor * parse(other).vector(P), rtol=1e-10)


def test_log_limits():
    """As q -> 0, GCE tends to cross entropy and AGCE to log((a+1)/(a+u))."""
    np.testing.assert_allclose(parse("gce:q=1e-7").value(U), -log(U), rtol=1e-5)
    np.testing.assert_allclose(parse("agce:a=2,q=1e-7").value(U), log(3 / (2 + U)), rtol=1e-5)


SYMMETRIC = ["mae", "rce", "nce", "nfl:gamma=0.5", "ngce:q=0.7", "gce:q=1", "agce:a=2,q=1", "aul:a=2,p=1",
             "anl:a=2,p=1", "sce:alpha=0,beta=1", "nce+rce:alpha=1,beta=1"]  # fmt: skip


@pytest.mark.parametrize("spec", SYMMETRIC)
def test_symmetric_losses_sum_to_a_constant(spec):
    totals = parse(spec).vector(P).sum(axis=-1)
    np.testing.assert_allclose(totals, totals[0], rtol=1e-10)


def test_mse_is_not_symmetric():
    assert np.ptp(parse("mse").vector(P).sum(axis=-1)) > 0.1


def path_by_hand(loss, classes):
    """l and dl/du along the path on which the other classes share the rest, by plain substitution."""
    curve = loss.exact.subs(K, classes)
    for symbol, summand in loss.exact_sums:
        curve = curve.subs(symbol, summand + (classes - 1) * summand.subs(u, (1 - u) / (classes - 1)))
    return curve, sympy.diff(curve, u)


class TestCurves:
    @pytest.mark.parametrize(
        "loss", [x for d in catalogue().values() for x in d.configurations()], ids=lambda x: x.spec
    )
    @pytest.mark.parametrize("classes", [2, 10])
    def test_derivative_and_weight_follow_the_curve(self, loss, classes):
        u, h = np.linspace(0.05, 0.95, 19), 1e-6
        slope = (loss.value(u + h, classes) - loss.value(u - h, classes)) / (2 * h)
        np.testing.assert_allclose(loss.derivative(u, classes), slope, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(loss.sample_weight(u, classes), -slope * u * (1 - u), rtol=1e-6, atol=1e-8)

    @pytest.mark.parametrize(
        "loss", [x for d in catalogue().values() for x in d.configurations()], ids=lambda x: x.spec
    )
    def test_the_ends_are_numbers_or_infinite(self, loss):
        ends = np.array([0.0, 1.0])
        for curve in (loss.value, loss.derivative, loss.sample_weight):
            assert not np.isnan(curve(ends)).any()

    def test_limits_at_the_ends(self):
        assert parse("ce").value([0.0, 1.0]).tolist() == [np.inf, 0]
        assert parse("ce").derivative([0.0, 1.0]).tolist() == [-np.inf, -1]
        assert parse("ce").sample_weight([0.0, 1.0]).tolist() == [1, 0]
        assert parse("nce").value([0.0, 1.0]).tolist() == [1, 0]
        assert parse("fl:gamma=0.5").derivative([1.0]).tolist() == [0]
        assert parse("gce:q=0.7").derivative([0.0]).tolist() == [-np.inf]

    def test_what_cancels_at_the_ends_leaves_the_rest(self):
        assert parse("nlnl").derivative([1.0], 10)[0] == pytest.approx(-1 / 9)
        # -((a - u)^(p-1) + (1 - u)^(p-1) (K - 1)^(1-p)) at u = 0
        assert parse("anl:a=2,p=0.5").derivative([0.0], 10)[0] == pytest.approx(-(2**-0.5) - 9**0.5)

    @pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
    @pytest.mark.parametrize("classes", [2, 10])
    def test_the_ends_in_many_digits(self, declaration, classes):
        """At 0 and 1 each curve is the limit that 400-digit arithmetic approaches, or infinite as that grows."""
        loss = declaration.example()
        exact = [sympy.lambdify(u, e, "mpmath") for e in path_by_hand(loss, classes)]
        with mp.workdps(1000):
            for curve, reference in zip((loss.value, loss.derivative), exact, strict=True):
                for end, far, near in (
                    (0.0, mp.mpf(10) ** -200, mp.mpf(10) ** -400),
                    (1.0, 1 - mp.mpf(10) ** -200, 1 - mp.mpf(10) ** -400),
                ):
                    (here,), beyond, nearer = curve([end], classes), reference(far), reference(near)
                    if np.isinf(here):
                        assert mp.sign(nearer) == np.sign(here) and abs(nearer) > 1.5 * abs(beyond)
                    else:  # quotients of logarithms arrive slowly
                        assert abs(nearer - here) <= max(mp.mpf(10) ** -9, 0.6 * abs(beyond - here), 0.005)

    def test_learning_speed_with_many_classes(self):
        """THEORY section 7: weights at u = 1/100."""
        for spec, weight in {
            "mae": 0.0099,
            "agce:a=0.6,q=0.6": 0.0121,
            "aul:a=3,p=0.1": 0.0037,
            "aul:a=5.5,p=3": 0.298,
        }.items():
            assert parse(spec).sample_weight([0.01], 100)[0] == pytest.approx(weight, rel=0.02)

    def test_bad_input(self):
        with pytest.raises(InputError, match=r"a probability must lie in \[0, 1\], got 1.5"):
            parse("ce").value([0.5, 1.5])
        with pytest.raises(InputError, match="got nan"):
            parse("ce").value([float("nan")])
        with pytest.raises(InputError, match="the number of classes must be at least 2, got 1"):
            parse("nce").value([0.5], classes=1)
        with pytest.raises(InputError, match="at least two classes"):
            parse("nce").vector([1.0])


class TestDeclarations:
    @pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
    def test_complete(self, declaration):
        assert declaration.about and declaration.reference
        used = declaration.expression.free_symbols.union(*(s.free_symbols for _, s in declaration.sums))
        for parameter in declaration.parameters:
            assert parameter.symbol in used, "a parameter that the formula does not have"
            assert parameter.typical in parameter.domain and parameter.meaning
            low, high = parameter.slider
            assert low < high and declaration.example().replace(**{parameter.name: high})
        assert "u_y" in declaration.latex()
        assert "u_y" in declaration.example().latex(values=True)

    def test_table_of_the_design(self):
        single = [key for key in catalogue() if "+" not in key]
        assert single == ["ce", "fl", "mae", "mse", "rce", "sce", "gce", "nce", "nfl", "ngce", "nlnl", "agce", "aul",
                          "ael", "anl", "amse"]  # fmt: skip
        passive = ["mae", "rce", "agce", "aul", "ael", "anl", "amse"]
        assert [k for k in catalogue() if "+" in k] == [f"{x}+{y}" for x in ("nce", "nfl") for y in passive]

    def test_presets_are_the_papers(self):
        presets = {d: x.spec for d, x in catalogue()["nce+aul"].preset_losses().items()}
        assert presets == {
            "mnist": "nce+aul:alpha=0,beta=1,a=3,p=0.1",
            "cifar10": "nce+aul:alpha=1,beta=4,a=6.3,p=1.5",
            "cifar100": "nce+aul:alpha=10,beta=0.015,a=6,p=3",
        }

    def test_terms(self):
        (alpha, active), (beta, passive) = parse("nce+agce:alpha=1,beta=4,a=6,q=1.5").terms
        assert (alpha, active.spec, beta, passive.spec) == (1, "nce", 4, "agce:a=6,q=1.5")
        assert parse("ce").terms == ((1, parse("ce")),)


@pytest.mark.parametrize("forbidden", ["torch", "streamlit", "numpy"])
def test_declaring_and_proving_import_nothing_heavy(forbidden):
    code = f"import sys, alf.losses, alf.theory; alf.losses.parse('agce:a=1,q=2'); print({forbidden!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_import_test_can_fail():
    code = "import sys, alf.losses.torch_loss; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
