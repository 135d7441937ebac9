"""The catalogue: one entry per loss. Adding a loss is adding one `Declaration` here, see docs/adding-a-loss.md.

Presets are the values Zhou et al. (ICML 2021) and the works they compare with report per data set. They were tuned on
the clean test sets of those data sets.
"""

from functools import lru_cache

from sympy import Expr, Integer, Rational, Symbol, exp, log, oo

from alf.losses.declaration import Declaration
from alf.losses.domain import Domain, Parameter
from alf.losses.symbols import K, u

# Every symbol once, with its assumptions: two symbols of one name and different assumptions do not cancel.
a = Symbol("a", positive=True)
p = Symbol("p", positive=True)
q = Symbol("q", positive=True)
gamma = Symbol("gamma", nonnegative=True)
scale = Symbol("scale", positive=True)
A = Symbol("A", negative=True)
alpha = Symbol("alpha", nonnegative=True)
beta = Symbol("beta", nonnegative=True)
S = Symbol("S", real=True)
S2 = Symbol("S2", real=True)  # a combination's second sum

ZHOU = "X. Zhou, X. Liu, J. Jiang, X. Gao, X. Ji, Asymmetric Loss Functions for Learning with Noisy Labels, ICML 2021"
MA = (
    "X. Ma, H. Huang, Y. Wang, S. Romano, S. Erfani, J. Bailey, Normalized Loss Functions for Deep Learning with "
    "Noisy Labels, ICML 2020"
)
WANG = (
    "Y. Wang, X. Ma, Z. Chen, Y. Luo, J. Yi, J. Bailey, Symmetric Cross Entropy for Robust Learning with Noisy "
    "Labels, ICCV 2019"
)

POSITIVE = Domain(0, oo)
NON_NEGATIVE = Domain(0, oo, lower_open=False)
ABOVE_ONE = Domain(1, oo)

FOCUS = Parameter(
    gamma, NON_NEGATIVE, "focus: the larger, the less easy samples count", Rational(1, 2), (0, 5),
    breakpoints=(0,),
)  # fmt: skip
Q_BOX_COX = Parameter(
    q, Domain(0, 1, upper_open=False), "from cross entropy (towards 0) to mean absolute error (1)", Rational(7, 10),
    (0.01, 1), breakpoints=(1,),
)  # fmt: skip
LOG_OF_ZERO = Parameter(
    A, Domain(-oo, 0), "the number used in place of log 0", log(Rational(1, 10000)), (-12, -0.5),
    default=log(Rational(1, 10000)),
)  # fmt: skip
ALPHA = Parameter(alpha, NON_NEGATIVE, "weight of the first loss", 1, (0, 10), breakpoints=(0,))
BETA = Parameter(beta, NON_NEGATIVE, "weight of the second loss", 1, (0, 10), breakpoints=(0,))
A_SHIFT = Parameter(a, POSITIVE, "shift: the larger, the closer to linear and the more robust", 1, (0.05, 10))
A_ABOVE = Parameter(a, ABOVE_ONE, "shift: the larger, the closer to linear", 2, (1.05, 10))


def _presets(
    mnist: dict[str, float], cifar10: dict[str, float], cifar100: dict[str, float]
) -> dict[str, dict[str, Expr]]:
    """Exact values from decimals, for the data sets of the paper."""
    rows = {"mnist": mnist, "cifar10": cifar10, "cifar100": cifar100}
    return {data: {n: Rational(str(v)) for n, v in row.items()} for data, row in rows.items()}


CE = Declaration(
    "ce", "CE", -log(u),
    about="Cross entropy, the default of classification: learns fast and memorises wrong labels.",
    reference="I. J. Good, Rational Decisions, JRSS B, 1952",
)  # fmt: skip

FL = Declaration(
    "fl", "FL", -((1 - u) ** gamma) * log(u),
    parameters=(FOCUS,),
    presets=_presets(mnist=dict(gamma=0.5), cifar10=dict(gamma=0.5), cifar100=dict(gamma=0.5)),
    about="Focal loss: cross entropy in which easy samples count less.",
    reference="T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, Focal Loss for Dense Object Detection, ICCV 2017",
)  # fmt: skip

MAE = Declaration(
    "mae", "MAE", scale * (1 - u),
    parameters=(
        Parameter(scale, POSITIVE, "factor (some code bases train twice this loss)", 1, (0.1, 4), default=Integer(1)),
    ),
    about="Mean absolute error: symmetric and robust, and slow to learn with many classes.",
    reference="A. Ghosh, H. Kumar, P. S. Sastry, Robust Loss Functions under Label Noise for Deep Neural Networks, "
              "AAAI 2017",
)  # fmt: skip

MSE = Declaration(
    "mse", "MSE", (S - 2 * u + 1) / K, sums=((S, u**2),),
    about="Mean squared error (Brier score): bounded, but not symmetric.",
    reference="G. W. Brier, Verification of Forecasts Expressed in Terms of Probability, 1950",
)  # fmt: skip

RCE = Declaration(
    "rce", "RCE", -A * (1 - u),
    parameters=(LOG_OF_ZERO,),
    about="Reverse cross entropy: cross entropy with prediction and label exchanged, a multiple of MAE.",
    reference=WANG,
)  # fmt: skip

SCE = Declaration(
    "sce", "SCE", -alpha * log(u) - beta * A * (1 - u),
    parameters=(ALPHA, BETA, LOG_OF_ZERO),
    presets=_presets(mnist=dict(alpha=1, beta=1), cifar10=dict(alpha=1, beta=1), cifar100=dict(alpha=1, beta=1)),
    about="Symmetric cross entropy: cross entropy plus reverse cross entropy.",
    reference=WANG,
)  # fmt: skip

GCE = Declaration(
    "gce", "GCE", (1 - u**q) / q,
    parameters=(Q_BOX_COX,),
    presets=_presets(mnist=dict(q=0.7), cifar10=dict(q=0.7), cifar100=dict(q=0.7)),
    about="Generalised cross entropy: between cross entropy and mean absolute error.",
    reference="Z. Zhang, M. R. Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy "
              "Labels, NeurIPS 2018",
)  # fmt: skip

NCE = Declaration(
    "nce", "NCE", log(u) / S, sums=((S, log(u)),),
    about="Normalised cross entropy: symmetric by division through the sum over all labels; underfits alone.",
    reference=MA,
)  # fmt: skip

NFL = Declaration(
    "nfl", "NFL", (1 - u) ** gamma * log(u) / S, sums=((S, (1 - u) ** gamma * log(u)),),
    parameters=(FOCUS,),
    about="Normalised focal loss: symmetric by normalisation; underfits alone.",
    reference=MA,
)  # fmt: skip

NGCE = Declaration(
    "ngce", "NGCE", (1 - u**q) / S, sums=((S, 1 - u**q),),
    parameters=(Q_BOX_COX,),
    about="Normalised generalised cross entropy: symmetric by normalisation.",
    reference=MA,
)  # fmt: skip

NLNL = Declaration(
    "nlnl", "NLNL", -(S - log(1 - u)) / (K - 1), sums=((S, log(1 - u)),),
    about="Negative learning in its expected form: tells the network which classes a sample is not.",
    reference="Y. Kim, J. Yim, J. Yun, J. Kim, NLNL: Negative Learning for Noisy Labels, ICCV 2019",
)  # fmt: skip

AGCE = Declaration(
    "agce", "AGCE", ((a + 1) ** q - (a + u) ** q) / q,
    parameters=(
        A_SHIFT,
        Parameter(q, POSITIVE, "exponent: convex below 1, linear at 1, concave above", Rational(3, 5), (0.05, 4),
                  breakpoints=(1,)),
    ),
    presets=_presets(mnist=dict(a=4, q=0.2), cifar10=dict(a=0.6, q=0.6), cifar100=dict(a=0.6, q=0.6)),
    about="Asymmetric generalised cross entropy: GCE shifted so that its slope at 0 is finite.",
    reference=ZHOU,
)  # fmt: skip

AUL = Declaration(
    "aul", "AUL", ((a - u) ** p - (a - 1) ** p) / p,
    parameters=(
        A_ABOVE,
        Parameter(p, POSITIVE, "exponent: concave below 1, linear at 1, convex above", Rational(3, 2), (0.05, 4),
                  breakpoints=(1,)),
    ),
    presets=_presets(mnist=dict(a=3, p=0.1), cifar10=dict(a=5.5, p=3), cifar100=dict(a=5.5, p=3)),
    about="Asymmetric unhinged loss: a power of the distance to a point beyond 1.",
    reference=ZHOU,
)  # fmt: skip

AEL = Declaration(
    "ael", "AEL", exp(-u / a),
    parameters=(Parameter(a, POSITIVE, "scale: the larger, the closer to linear and the more robust", 2, (0.05, 10)),),
    presets=_presets(mnist=dict(a=3.5), cifar10=dict(a=2.5), cifar100=dict(a=2.5)),
    about="Asymmetric exponential loss.",
    reference=ZHOU,
)  # fmt: skip

ANL = Declaration(
    "anl", "ANL", ((a - u) ** p + S - u**p - (a - 1) ** p) / p, sums=((S, u**p),),
    parameters=(
        A_ABOVE,
        Parameter(p, POSITIVE, "exponent of the norm: concave below 1, linear at 1, convex above", Rational(3, 2),
                  (0.05, 4), breakpoints=(1,)),
    ),
    about="Asymmetric p-norm: the distance of the prediction from a one-hot target of height a.",
    reference=ZHOU + " (and the authors' code)",
)  # fmt: skip

AMSE = Declaration(
    "amse", "AMSE", (S - 2 * a * u + a**2) / K, sums=((S, u**2),),
    parameters=(
        Parameter(a, Domain(1, oo, lower_open=False), "height of the one-hot target: 1 is MSE, larger is more robust",
                  5, (1, 40), breakpoints=(1,)),
    ),
    about="Asymmetric mean squared error: MSE towards a target of height a.",
    reference="J. Wang, X. Zhou, X. Liu and others, Joint Asymmetric Loss for Learning with Noisy Labels, ICCV 2025",
)  # fmt: skip

SINGLE = (CE, FL, MAE, MSE, RCE, SCE, GCE, NCE, NFL, NGCE, NLNL, AGCE, AUL, AEL, ANL, AMSE)
ACTIVE = (NCE, NFL)
PASSIVE = (MAE, RCE, AGCE, AUL, AEL, ANL, AMSE)

COMBINATION_PRESETS = {
    "nce+mae": _presets(dict(alpha=1, beta=100), dict(alpha=1, beta=1), dict(alpha=10, beta=1)),
    "nce+rce": _presets(dict(alpha=1, beta=100), dict(alpha=1, beta=1), dict(alpha=10, beta=1)),
    "nce+agce": _presets(
        dict(alpha=0, beta=1, a=4, q=0.2), dict(alpha=1, beta=4, a=6, q=1.5), dict(alpha=10, beta=0.1, a=1.8, q=3)
    ),
    "nce+aul": _presets(
        dict(alpha=0, beta=1, a=3, p=0.1), dict(alpha=1, beta=4, a=6.3, p=1.5), dict(alpha=10, beta=0.015, a=6, p=3)
    ),
    "nce+ael": _presets(
        dict(alpha=0, beta=1, a=3.5), dict(alpha=1, beta=4, a=5), dict(alpha=10, beta=0.1, a=1.5)
    ),
}  # fmt: skip


def _combination(active: Declaration, passive: Declaration) -> Declaration:
    """alpha x active + beta x passive; the passive loss's sum gets a symbol of its own."""
    key = f"{active.key}+{passive.key}"
    name = f"{active.name}+{passive.name}"
    return Declaration(
        key,
        name,
        alpha * active.expression + beta * passive.expression.subs(S, S2),
        sums=active.sums + tuple((S2, summand) for _, summand in passive.sums),
        parameters=(ALPHA, BETA, *active.parameters, *passive.parameters),
        presets=COMBINATION_PRESETS.get(key, {}),
        about=f"{active.name} drives the right class up, {passive.name} pushes the wrong ones down.",
        reference=passive.reference if passive in (AGCE, AUL, AEL, ANL, AMSE) else active.reference,
        parts=((alpha, active), (beta, passive)),
    )


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Declaration]:
    """Every declared loss by key: single losses first, then the active + passive combinations."""
    combinations = [_combination(active, passive) for active in ACTIVE for passive in PASSIVE]
    return {d.key: d for d in (*SINGLE, *combinations)}
