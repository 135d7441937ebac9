"""What a proof script runs on: this module's code, after this docstring, is copied into every script.

It shares nothing with `alf.theory`: signs come from mpmath's intervals over a subdivision and from samples next to the
ends, numbers from many digits.
"""

from fractions import Fraction

import mpmath
import sympy
from mpmath import iv, mp
from sympy import Max, Min

u = sympy.Symbol("u", positive=True)
mp.dps = 60
iv.dps = 30
SHOWN = 15
TINY = mpmath.mpf(10) ** -400


def read(text, values=None):
    """An expression from its text."""
    names = {"u": u, **{n: sympy.Symbol(n) for n in ("K", "S", "S2")}, **(values or {})}
    return sympy.sympify(text, locals=names)


def show(x):
    """A number by its first digits; the same digits are stated."""
    if mpmath.isinf(x):
        return "oo" if x > 0 else "-oo"
    x = mpmath.mpf(x)
    return mpmath.nstr(0 if abs(x) < mpmath.mpf(10) ** -45 else x, SHOWN)


def numeric(expression):
    """A function of u in mpmath."""
    return sympy.lambdify(u, expression, modules=[SWITCHES, "mpmath"])


SWITCHES = {
    "Heaviside": lambda x, half=0.5: 1 if x > 0 else 0 if x < 0 else half,
    "sign": mpmath.sign,
    "DiracDelta": lambda *x: 0,
    "Max": lambda *x: max(x),
    "Min": lambda *x: min(x),
}


def fraction(text):
    """A fraction from its text: 3/8, or 1/5 - 3*2**-500."""
    if "**" not in text:
        return Fraction(text)
    near, _, tail = text.rpartition(" ")
    near, sign = (near[:-2], near[-1]) if near else ("0", "+")
    count, _, power = tail.rpartition("2**-")
    rest = Fraction(int(count.rstrip("*") or 1), 2 ** int(power))
    return Fraction(near) + (rest if sign == "+" else -rest)


def value(expression, x):
    """The expression at u = x; its limit at 0, where it may be infinite."""
    f = numeric(expression)
    if 0 < x < 1:
        return mpmath.re(f(x))
    try:
        found = f(x)
        if mpmath.isfinite(found):
            return mpmath.re(found)
    except (ZeroDivisionError, ValueError, OverflowError):
        pass
    with mpmath.workdps(900):
        near = [mpmath.re(f(t if x == 0 else 1 - t)) for t in (TINY, TINY**2)]
    if abs(near[1]) > 1.5 * abs(near[0]) and abs(near[1]) > 1000:
        return mpmath.inf * mpmath.sign(near[1])
    return +near[1]


class Loss:
    """The loss that is stated: its formula, its values, and the parts of its risk."""

    def __init__(self, formula, sums, values, classes, normalised, h, sigma):
        exact = {name: read(text) for name, text in values.items()}
        self.classes = classes
        self.g = read(formula, exact).subs(sympy.Symbol("K"), classes)
        self.sums = {sympy.Symbol(s): read(text, exact).subs(sympy.Symbol("K"), classes) for s, text in sums.items()}
        self.normalised = [(read(c), read(s)) for c, s in normalised]
        self.h, self.sigma = read(h), read(sigma)

    def same(self, text):
        """Whether a text is this loss as a function of u_y alone."""
        return not self.sums and sympy.expand(read(text) - self.g) == 0

    def expression(self, name):
        return self.g if name == "l" else read(name)

    def at(self, point, y):
        """L(point, y) by the formula that is stated."""
        sums = {s: mpmath.fsum(value(f, x) for x in point) for s, f in self.sums.items()}
        g = sympy.lambdify([u, *sums], self.g, modules=["mpmath"])
        return mpmath.re(g(point[y], *sums.values()))

    def by_parts(self, point, y):
        """L(point, y) by the parts that are stated."""
        total = value(self.h, point[y]) + mpmath.fsum(value(self.sigma, x) for x in point)
        for c, s in self.normalised:
            total += value(c, 0) * value(s, point[y]) / mpmath.fsum(value(s, x) for x in point)
        return total

    def risk(self, point, weights):
        """sum_i w_i L(point, i), where weight 0 counts nothing."""
        total = mpmath.mpf(0)
        for x, w in zip(point, weights, strict=True):
            total += w * value(self.h, x) if w else 0
            total += sum(weights) * value(self.sigma, x)
        for c, s in self.normalised:
            values = [value(s, x) for x in point]
            if any(mpmath.isinf(v) for v in values):  # a mean of the weights of the labels at 0, where they are equal
                (there,) = {w for v, w in zip(values, weights, strict=True) if mpmath.isinf(v)}
                total += value(c, 0) * there
                continue
            above = mpmath.fsum(w * v for w, v in zip(weights, values, strict=True))
            total += value(c, 0) * above / mpmath.fsum(values)
        return total

    def rest(self):
        """The loss without its normalised parts."""
        other = object.__new__(Loss)
        other.__dict__ = {**self.__dict__, "normalised": []}
        return other

    def bound(self, kind, weights):
        """What a witness's risk is compared with."""
        m = weights.index(max(weights))
        vertex = [mpmath.mpf(int(i == m)) for i in range(len(weights))]
        weight = mpmath.fsum(value(c, 0) for c, _ in self.normalised)
        if kind == "least":
            return weight * min(weights)
        if kind == "least at e_m":
            return weight * min(weights) + self.rest().risk(vertex, weights)
        if len(weights) == 2 and self.normalised:
            return weight * min(weights) + self.rest().risk(vertex, weights)
        return self.risk(vertex, weights)


# --- signs -------------------------------------------------------------------------------------------------------


def interval_functions():
    def monotone(f):
        def function(x):
            x = iv.convert(x)
            slack = mpmath.mpf(10) ** -25
            return iv.mpf([f(mpmath.mpf(x.a)) - slack, f(mpmath.mpf(x.b)) + slack])

        return function

    return {
        "sinh": monotone(mpmath.sinh), "tanh": monotone(mpmath.tanh), "atan": monotone(mpmath.atan),
        "cosh": lambda x: (iv.exp(x) + iv.exp(-x)) / 2, "exp": iv.exp, "log": iv.log, "sqrt": iv.sqrt, "sin": iv.sin,
        "cos": iv.cos, "tan": iv.tan, "pi": iv.pi,
    }  # fmt: skip


def sign_on(expression):
    """'<', '>' or '=' where the sign is the same all over (0, 1), otherwise '?'."""
    if expression == 0 or not expression.has(u):
        x = value(sympy.sympify(expression), mpmath.mpf("0.5"))
        return "=" if abs(x) < mpmath.mpf(10) ** -50 else "<" if x < 0 else ">"
    f = numeric(expression)
    points = [mpmath.mpf(k) / 256 for k in range(1, 256)]
    points += [mpmath.mpf(2) ** -k for k in range(9, 60, 3)] + [1 - mpmath.mpf(2) ** -k for k in range(9, 60, 3)]
    found = [mpmath.re(f(x)) for x in points]
    noise = mpmath.mpf(10) ** -35 * (1 + max(abs(x) for x in found if mpmath.isfinite(x)))
    signs = {1 if x > noise else -1 if x < -noise else 0 for x in found}
    if signs <= {0}:
        return "="
    if {1, -1} <= signs:
        return "?"
    sign = 1 if 1 in signs else -1
    return "?" if contradicted(expression, sign) else "<" if sign < 0 else ">"


def contradicted(expression, sign):
    """Whether intervals over a subdivision of [1/64, 63/64] find the other sign for certain."""
    if expression.has(Max, Min, sympy.Abs, sympy.sign, sympy.Heaviside):
        return False
    f = sympy.lambdify(u, expression, modules=[interval_functions(), "mpmath"])
    cells = [(Fraction(k, 64), Fraction(k + 1, 64)) for k in range(1, 63)]
    while cells:
        a, b = cells.pop()
        try:
            box = iv.convert(
                f(iv.mpf([mpmath.mpf(a.numerator) / a.denominator, mpmath.mpf(b.numerator) / b.denominator]))
            )
        except (ValueError, ZeroDivisionError, TypeError):
            continue
        if (sign > 0 and box.b < 0) or (sign < 0 and box.a > 0):
            return True
        if ((sign > 0 and box.a < 0) or (sign < 0 and box.b > 0)) and b - a > Fraction(1, 512):
            cells += [(a, (a + b) / 2), ((a + b) / 2, b)]
    return False


# --- facts: each gives the digits and relations that a script must state -----------------------------------------


def exact_point(texts):
    point = [fraction(t) for t in texts]
    if sum(point) != 1 or min(point) < 0:
        raise AssertionError("not a point of the simplex")
    return [mpmath.mpf(x.numerator) / x.denominator for x in point]


def relation(x):
    return "=" if abs(x) < mpmath.mpf(10) ** -40 else "<" if x < 0 else ">"


def fact_sign(loss, name, order, stated):
    if order not in (0, 1, 2):
        raise AssertionError("no claim is about this derivative")
    f = sympy.diff(loss.expression(name), u, order)
    if sign_on(f) != stated:
        raise AssertionError(f"the sign of derivative {order} is {sign_on(f)}, not {stated}")
    return (show(value(f, mpmath.mpf(1) / 3)), show(value(f, mpmath.mpf(5) / 7)))


def fact_limit(loss, name, order):
    f = sympy.diff(loss.expression(name), u, order)
    return (show(value(f, mpmath.mpf(0))), show(value(f, mpmath.mpf(1) / 3)))


def fact_ratio(loss, name, text):
    f = sympy.diff(loss.expression(name), u)
    first, last = value(f, mpmath.mpf(0)), value(f, mpmath.mpf(1))
    r = mpmath.mpf(0) if mpmath.isinf(first) else last / first
    if abs(r - value(read(text), mpmath.mpf(1))) > mpmath.mpf(10) ** -30:
        raise AssertionError("the ratio is not l'(1)/l'(0)")
    return (show(r),)


def fact_number(loss, text, stated):
    x = value(read(text), mpmath.mpf(1))
    if not mpmath.isinf(x) and relation(x) != stated:
        raise AssertionError(f"the number is {relation(x)} 0")
    if mpmath.isinf(x) and stated not in "<>":
        raise AssertionError("the number is infinite")
    return (show(x),)


def fact_zero(loss, text):
    f = read(text)
    if sign_on(f) != "=":
        raise AssertionError("the expression is not identically 0")
    return ("=",)


def fact_bracket(loss, name, which):
    """r or r_up by a search: the first three digits of the least quotient."""
    f = numeric(loss.expression(name))
    n = 240
    with mpmath.workdps(30):
        nodes = [value(loss.expression(name), mpmath.mpf(0))] + [
            mpmath.re(f(mpmath.mpf(k) / n)) for k in range(1, n + 1)
        ]
        if mpmath.isinf(nodes[0]):
            return ("0",)
        best = mpmath.mpf(1)
        for d in range(1, n + 1):
            first = nodes[0] - nodes[d]
            starts = range(n + 1 - d) if which == "r" else [n - d]
            best = min(best, min((nodes[k] - nodes[k + d]) / first for k in starts))
    return (mpmath.nstr(best, 10),)


def fact_constant(loss, name, classes, text):
    f = loss.expression(name)
    low, high = value(f, mpmath.mpf(1)), value(f, mpmath.mpf(0))
    best = max(1 / (1 - (s - 1) * (high - value(f, mpmath.mpf(1) / s)) / (high - low)) for s in range(2, classes + 1))
    if abs(best - value(read(text), mpmath.mpf(1))) > mpmath.mpf(10) ** -30:
        raise AssertionError("the constant is not c_K")
    if classes != loss.classes:
        raise AssertionError("the constant is for another number of classes")
    return (show(best),)


def fact_curve(loss, claim, texts):
    f = loss.g if not loss.sums else loss.h
    x = [mpmath.mpf(fraction(t).numerator) / fraction(t).denominator for t in texts]
    v = [value(f, t) for t in x]
    if claim == "decreasing":
        fine, shown = x[0] < x[1] and v[1] >= v[0], (v[0], v[1])
    else:
        chord = (v[0] + v[2]) / 2
        fine = fraction(texts[0]) + fraction(texts[2]) == 2 * fraction(texts[1]) and (
            v[1] > chord if claim == "convex" else v[1] < chord
        )
        shown = (v[1], chord, v[0], v[2])
    if not fine:
        raise AssertionError(f"these points do not refute {claim}")
    return tuple(show(s) for s in shown)


def fact_sums(loss, texts):
    point = exact_point(texts)
    even = [mpmath.mpf(1) / loss.classes] * loss.classes
    if len(point) != loss.classes:
        raise AssertionError("the point has another number of classes")
    here, there = (mpmath.fsum(loss.by_parts(p, y) for y in range(loss.classes)) for p in (point, even))
    if abs(here - there) < mpmath.mpf(10) ** -30:
        raise AssertionError("the sums do not differ")
    return show(here), show(there)


def fact_rows(loss, texts, first, second):
    weights = exact_point(texts)
    if len(weights) != loss.classes or first > second:
        raise AssertionError("clean labels dominate")
    for x in (first, second):
        if min(abs(x - w) for w in weights) > 1e-12:
            raise AssertionError("no such entry in the row")
    return ()


def fact_risk(loss, kind, weights, point):
    # a point very near a vertex needs as many digits as tell it from the vertex, and its risk from the vertex's
    largest = max(map(fraction, point))
    near = 0 < 1 - largest < Fraction(1, 10**20)
    with mpmath.workdps(max(mp.dps, largest.denominator.bit_length() * 2 // 3) if near else mp.dps):
        return _fact_risk(loss, kind, weights, point)


def _fact_risk(loss, kind, weights, point):
    w, x = exact_point([str(fraction(t) / sum(map(fraction, weights))) for t in weights]), exact_point(point)
    if len(w) != loss.classes or len(x) != loss.classes:
        raise AssertionError("another number of classes")
    scale = sum(map(fraction, weights))
    w = [a * scale.numerator / scale.denominator for a in w]
    here = loss.risk(x, w)
    if kind == "tie":
        m, n = sorted(range(len(w)), key=lambda i: -w[i])[:2]
        if x[m] != x[n] or x[m] != max(x):
            raise AssertionError("no tie")
        moves = [mpmath.mpf(2) ** -k * x[m] for k in range(1, 30)]
        least = min(loss.risk([t + (i == m) * s * d - (i == n) * s * d for i, t in enumerate(x)], w)
                    for d in moves for s in (1, -1))  # fmt: skip
        if least < here:
            raise AssertionError("the tie is no minimiser")
        return show(here), show(least)
    bound = loss.bound(kind, w)
    m = w.index(max(w))
    if kind == "least":
        if not (here == bound and x.index(max(x)) != m):
            raise AssertionError("the risk is not the least")
    elif not here <= bound or x[m] == 1:
        raise AssertionError("the risk is not below that at the vertex")
    bind = [mpmath.fsum((y + 1) * a for y, a in enumerate(v)) for v in (w, x)]
    return show(here), show(bound), *map(show, bind)


def fact_separates(loss, p, point):
    p, x = exact_point(p), exact_point(point)
    low, high = value(loss.h, mpmath.mpf(1)), value(loss.h, mpmath.mpf(0))
    best = max(p) * low + (1 - max(p)) * high
    excess = max(p) - p[x.index(max(x))]
    bound = 2 * (loss.risk(x, p) - best) / (high - low)
    if not excess > bound or len(p) != loss.classes:
        raise AssertionError("the point does not separate")
    return show(excess), show(bound)


def fact_parts(loss):
    """The parts of the risk are the loss: two predictions, every label, both ways."""
    shown = []
    for shift in (1, 3):
        raw = [mpmath.mpf(k + shift) for k in range(loss.classes)]
        point = [x / mpmath.fsum(raw) for x in raw]
        values = [loss.at(point, y) for y in range(loss.classes)]
        if max(abs(a - loss.by_parts(point, y)) for y, a in enumerate(values)) > mpmath.mpf(10) ** -35:
            raise AssertionError("the parts are not the loss")
        shown.append(show(mpmath.fsum((y + 1) * a for y, a in enumerate(values))))
    return tuple(shown)


def fact_share(loss, texts):
    exact_point(texts)
    w = sorted((fraction(t) for t in texts), reverse=True)
    if len(w) != loss.classes or not w[0] > w[1]:
        raise AssertionError("no largest weight")
    return (str(w[0] - w[1]),)


def fact_falls(loss):
    """g falls with u_y at fixed sums: h and every |s| fall."""
    shown = []
    for f in [loss.h, *(s if value(s, mpmath.mpf("0.5")) > 0 else -s for _, s in loss.normalised)]:
        if f == 0:
            continue
        if sign_on(sympy.diff(f, u)) != "<":
            raise AssertionError("a part does not fall")
        shown.append(show(value(f, mpmath.mpf(1) / 3)))
    return tuple(shown)


def digits(kind, loss, *given):
    """What a fact of this kind states about what is given."""
    return globals()["fact_" + kind](loss, *given)


GIVEN = {"sign": 3, "limit": 2, "ratio": 2, "number": 2, "zero": 1, "bracket": 2, "constant": 3, "curve": 2, "sums": 1,
         "rows": 3, "risk": 3, "separates": 2, "parts": 0, "share": 1, "falls": 0}  # fmt: skip
REFUTES = {"curve", "sums", "rows", "risk"}


def check(statement, proof):
    """0 if every fact can be derived again and bears out its claim."""
    loss = Loss(**statement)
    for claim, holds, facts in proof:
        kinds = {fact[0] for fact in facts}
        if holds == bool(kinds & REFUTES) or not facts:
            print(f"FAILED: {claim}: the facts do not say that it is {holds}")
            return 1
        for kind, *stated in facts:
            given, expected = stated[: GIVEN[kind]], tuple(stated[GIVEN[kind] :])
            try:
                found = tuple(digits(kind, loss, *given))
            except AssertionError as error:
                print(f"FAILED: {claim}: {error}")
                return 1
            if found != expected:
                print(f"FAILED: {claim}: {kind} gives {found}, stated is {expected}")
                return 1
        print(f"{claim}: {'holds' if holds else 'does not hold'}, {len(facts)} facts derived again")
    return 0
