"""What the minimisation on the simplex rests on: columns hold every coordinate, and bound from below what it adds."""

import os
import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

from alf.losses import u
from alf.theory.arithmetic.sign_pattern import Run
from alf.theory.curve.shape import shape_of
from alf.theory.risk import branches as module
from alf.theory.risk.branches import branches, column_of, finer_branch

COUNT = 400 if os.environ.get("ALF_SOAK") == "1" else 40

PSI = {
    "inflection at a simple place": 1 - u**2 * (3 - 2 * u),
    "inflection at an irrational place": sympy.exp(-3 * u**2),
    "two inflections": 1 - u + sympy.cos(9 * u) / 20,
    "convex kink": (1 - u) ** 2 + sympy.Max(0, sympy.Rational(2, 5) - u),
    "convex kink at an irrational place": sympy.Max(sympy.exp(-2 * u), sympy.Rational(1, 2) - u / 4),
    "linear": 1 - u,
    "steep at 0": 1 / (u + sympy.Rational(1, 100)),
    "concave": sympy.cos(u),
}


@pytest.mark.parametrize("name", PSI)
@pytest.mark.parametrize("cells", [256, 256 * 16**2, 256 * 16**5])
def test_a_column_holds_every_coordinate_and_bounds_what_it_adds(name, cells):
    psi = PSI[name]
    rng = random.Random(f"{name} {cells}")
    value, slope = sympy.lambdify(u, psi, "mpmath"), sympy.lambdify(u, sympy.diff(psi, u), "mpmath")
    table = branches(psi)
    edges = [float(x) for r in shape_of(psi).bend_runs for x in (r.lo, r.hi)]
    near = [min(1.0, max(0.0, x + rng.choice((-1, 1)) * 2.0 ** -rng.randint(20, 60))) for x in edges for _ in range(4)]
    kinks = [float(k.lo) for k in shape_of(psi).kinks]
    finer = [finer_branch(b, np.ones(len(b.nodes), bool)) for b in table]
    for x in (*edges, *near, *(rng.random() for _ in range(COUNT))):
        if any(abs(x - k) < 1e-9 for k in kinks):
            continue
        with mpmath.workdps(50):
            mu, risk = -slope(mpmath.mpf(x)), value(mpmath.mpf(x))
            width = mpmath.mpf(8) / cells
            first, last = float(mu - width * rng.random() - 1e-15), float(mu + width * rng.random() + 1e-15)
            middle = (first + last) / 2
            for branch_set in (table, finer):
                columns = [column_of(b, np.array([first]), np.array([last])) for b in branch_set]
                holding = [c for c in columns if c.possible[0] and c.low[0] <= x <= c.high[0]]
                assert holding, (x, float(mu))
                assert min(float(c.bound[0]) for c in holding) <= risk + mpmath.mpf(middle) * mpmath.mpf(x)


@pytest.mark.parametrize(("psi", "first_bend"), [(1 - u**2 * (3 - 2 * u), -1), (3 * u**2 - 2 * u**3 - 2 * u, 1)])
def test_values_that_mu_takes_where_the_bend_was_not_settled_are_enclosed_there(monkeypatch, psi, first_bend):
    """The stretch of unsettled bend made wide, so that mu visibly turns inside it, at 1/2."""
    shape, half = shape_of(psi), Fraction(1, 2)
    lo, hi = half - Fraction(1, 2**12), half + Fraction(1, 2**11)
    runs = Run(Fraction(0), lo, first_bend), Run(lo, hi, None), Run(hi, Fraction(1), -first_bend)
    monkeypatch.setattr(module, "WIDEST_UNSETTLED", Fraction(1, 2**9))
    monkeypatch.setitem(shape.__dict__, "bend_runs", runs)
    for branch in module.branches.__wrapped__(psi):
        for one in (branch, finer_branch(branch, np.ones(len(branch.nodes), bool))):
            for x in np.linspace(float(lo), float(hi), 41):
                mu = -float(sympy.diff(psi, u).subs(u, x))
                column = column_of(one, np.array([mu - 1e-12]), np.array([mu + 1e-12]))
                assert column.possible[0] and column.low[0] <= x <= column.high[0]
                assert column.bound[0] <= float(psi.subs(u, x)) + mu * x
