r"""The theorems that verdicts rest on, each stated once.

A step of a verdict carries the theorem that it applies (`Step.theorem`, a key of `THEOREMS`). Notation: u is a
prediction, a point of the probability simplex of K classes; e_m is its vertex for class m; L(u, i) is the loss of u
when the label is i, and l(u_i) where it depends on u_i alone; w are label weights, W is their sum, w_m the largest,
which is unique, and w_n the second largest; R(u) = sum_i w_i L(u, i); argmin is a set. Moreover
phi(t) = (l(0) - l(t)) / (l(0) - l(1)). The ratio r is the infimum of (l(x) - l(x + d)) / (l(0) - l(d)) over
0 <= x <= 1 - d and 0 < d <= 1, and the upper ratio r_up is that over x = 1 - d.

>>> THEOREMS["convex"].name, THEOREMS["convex"].latex
('Ratio of a convex loss', "r = r_{\\mathrm{up}} = \\frac{l'(1)}{l'(0)}")
"""

from dataclasses import dataclass

ZHOU = "X. Zhou, X. Liu, J. Jiang, X. Gao, X. Ji, Asymmetric Loss Functions for Learning with Noisy Labels, ICML 2021"
GHOSH = "A. Ghosh, H. Kumar, P. S. Sastry, Robust Loss Functions under Label Noise for Deep Neural Networks, AAAI 2017"
HERE = "Derived for this project; its tests attack it by brute force"


@dataclass(frozen=True)
class Theorem:
    """What is known in general, for a step of a verdict to point to.

    Parameters
    ----------
    key : str
        Its name in JSON, and its anchor in the documentation.
    name : str
        Its name for readers.
    statement : str
        What it says, in a sentence or two.
    hypotheses : tuple of str
        What it needs, each a clause.
    latex : str
        Its conclusion as a formula.
    sketch : str
        Why it holds.
    source : str
        Where it is from.
    """

    key: str
    name: str
    statement: str
    hypotheses: tuple[str, ...]
    latex: str
    sketch: str
    source: str = HERE


POINTWISE = "L(u, i) = l(u_i)"
STRICT = "l decreases strictly on [0, 1]"
FINITE = "l(0) and l(1) are finite"
NORMALISED = "L(u, y) = s(u_y) / sum_k s(u_k), and s does not change its sign"

_ALL = (
    # --- the ratio --------------------------------------------------------------------------------------------------
    Theorem(
        "concave", "Ratio of a concave loss",
        "Over every step a concave loss falls at least as much as over a step of that length from 0, so r = r_up = "
        "1.",
        (POINTWISE, STRICT, "l is concave on [0, 1]"),
        r"r = r_{\mathrm{up}} = 1",
        "-l' rises, so its mean over [x, x + d] is at least its mean over [0, d]; at x = 0, d = 1 the two are "
        "equal.",
    ),
    Theorem(
        "convex", "Ratio of a convex loss",
        "If l is convex, r = r_up = l'(1)/l'(0), approached as the step shrinks and moves to u = 1.",
        (POINTWISE, STRICT, "l is convex on [0, 1]", "l'(0) is finite"),
        r"r = r_{\mathrm{up}} = \frac{l'(1)}{l'(0)}",
        "-l' falls, so its mean over any step is at least -l'(1) and at most -l'(0); steps from 1 - d to 1 and from "
        "0 to d come as close to these as one likes when d tends to 0.",
    ),
    Theorem(
        "infinite-at-0", "An infinite value or slope at 0",
        "If l(0) or l'(0) is infinite, r = 0 as a limit: l falls infinitely more over a short step from 0 than over "
        "one inside (0, 1). So r_up = 0 too where l(1) and, if l(0) is finite, l'(1) are finite.",
        (POINTWISE, STRICT, "l(0) is infinite or l'(0) is", "l has a finite slope somewhere inside (0, 1)"),
        r"r = \lim_{d \to 0} \frac{l(x) - l(x + d)}{l(0) - l(d)} = 0",
        "The numerator is of order d, and the denominator is infinite or larger than any multiple of d. For r_up "
        "the same holds at x = 1 - d, or, if l(0) is infinite, for any d.",
    ),
    Theorem(
        "vanishing-slope", "A slope that vanishes",
        "If l' vanishes somewhere to a higher order than at 0, r = 0 as a limit of short steps there; if that is at "
        "u = 1, r_up = 0 too.",
        (POINTWISE, STRICT, "l' is of order d^k at the distance d from 0, and of order d^j, j > k, from some s"),
        r"r = \lim_{d \to 0} \frac{l(s - d) - l(s)}{l(0) - l(d)} = 0",
        "The numerator is of order d^(j + 1), the denominator of order d^(k + 1).",
    ),
    Theorem(
        "rise-and-fall", "A slope that rises and then falls",
        "If l is concave and then convex, |l'| rises and then falls: among all steps of one length l falls least "
        "over the first or over the last, so r = r_up.",
        (POINTWISE, STRICT, "l is concave on [0, c] and convex on [c, 1]"),
        r"l(x) - l(x + d) \ge \min\{l(0) - l(d),\ l(1 - d) - l(1)\}",
        "The fall over [x, x + d] has the derivative |l'(x + d)| - |l'(x)| in x, which changes its sign at most "
        "once, from plus to minus, so the least fall is at an end. At x = 0 the quotient is 1, which r_up never "
        "exceeds.",
    ),
    Theorem(
        "two-ends", "When the upper ratio is 1",
        "r_up = 1 exactly if l(t) + l(1-t) >= l(0) + l(1) for all t.",
        (POINTWISE, STRICT, FINITE),
        r"r_{\mathrm{up}} = 1 \iff l(t) + l(1 - t) \ge l(0) + l(1)",
        "At x = 1 - d the quotient is (l(1 - d) - l(1)) / (l(0) - l(d)). It is at least 1 exactly where the sum is "
        "large enough, and it is 1 at d = 1.",
    ),
    Theorem(
        "bracket", "A bracket of the ratio",
        "The mean of -l' over [x, x + d] divided by its mean over [0, d] is enclosed on boxes of (x, d) that cover "
        "all steps: their least lower bound and the least value found enclose r.",
        (POINTWISE, STRICT, FINITE),
        r"r = \inf_{x, d} \frac{\frac{1}{d} \int_x^{x+d} -l'}{\frac{1}{d} \int_0^d -l'}",
        "Both means are as smooth as l' down to d = 0, so branch and bound by interval arithmetic needs no special "
        "case there.",
    ),
    # --- asymmetry on label weights ---------------------------------------------------------------------------------
    Theorem(
        "ratio-rule", "Ratio rule",
        "The loss is asymmetric on w if (w_m/w_n) r > 1, and also at (w_m/w_n) r = 1 where the infimum r is not "
        "attained with x > 0. It is not if (w_m/w_n) r_up < 1.",
        (POINTWISE, STRICT, FINITE, "w_n > 0"),
        r"\frac{w_m}{w_n}\, r > 1 \implies \operatorname{argmin} R = \{e_m\}",
        "Moving all of u_j to class m lowers w_m l by at least w_m r (l(0) - l(u_j)) and raises w_j l by at most "
        "w_n (l(0) - l(u_j)); label after label this leads to e_m. On the edge of the two heaviest labels the same "
        "quotient with x = 1 - d says when R falls below R(e_m).",
        ZHOU,
    ),
    Theorem(
        "edge", "Edge rule",
        "Where two labels have all the weight, R(u) > R(e_m) on the edge u = (1 - t, t), 0 < t <= 1, decides; where "
        "more labels have weight a point of the edge can still refute.",
        ("K = 2, or L(u, i) = l(u_i) with l decreasing strictly",),
        r"R(1 - t, t, 0, \dots) > R(e_m)\quad (0 < t \le 1)",
        "Giving class m the share of a label without weight lowers the risk, and leads to the edge.",
    ),
    Theorem(
        "half-concave", "Half-concave rule",
        "If l is concave on [0, 1/2], putting shares that sum to at most 1/2 together on the heaviest of their "
        "labels does not raise the risk: what holds on the edge between the two heaviest labels holds on the whole "
        "simplex.",
        (POINTWISE, STRICT, FINITE, "l is concave on [0, 1/2]"),
        r"\sum_{i \ne m} w_i\, \varphi(u_i) \le w_n\, \varphi\Big(\sum_{i \ne m} u_i\Big) "
        r"\quad \Big(\sum_{i \ne m} u_i \le \frac{1}{2}\Big)",
        "phi is convex on [0, 1/2] and phi(0) = 0, which gives the inequality. If all shares are at most 1/2, sum_i "
        "w_i phi(u_i) is largest at (1/2, 1/2, 0, ...); if u_j > 1/2 for a label j other than m, the others go "
        "together on m.",
    ),
    Theorem(
        "exchange-of-mass", "Edge rule for a slope that rises and falls",
        "If |l'| rises and then falls, l falls least over the first or the last of all steps of one length: what "
        "holds on the edge between the two heaviest labels holds for every exchange of mass, so on the whole "
        "simplex.",
        (POINTWISE, STRICT, FINITE, "l is concave on [0, c] and convex on [c, 1]"),
        r"w_m\,(l(x) - l(x + d)) > w_j\,(l(0) - l(d))",
        "Moving u_j = d from class j to class m, where u_m = x, lowers the risk by the difference of the two sides. "
        "If the first step is the least, w_m > w_j makes it positive; if the last is, the edge does. Repeated, it "
        "leads to e_m.",
    ),
    Theorem(
        "concavity", "Concavity rule",
        "If R is concave on the simplex, its minimum is at a vertex. If L(e_j, i) - L(e_i, i) is the same positive "
        "number for all i and j != i, that vertex is e_m alone, because R(e_j) - R(e_m) = c (w_m - w_j).",
        ("R is concave on the simplex", "L(e_j, i) - L(e_i, i) = c > 0 for all i and all j != i"),
        r"R(u) \ge \sum_j u_j R(e_j), \qquad R(e_j) - R(e_m) = c\,(w_m - w_j) > 0",
        "The risk of a mixture is at least the mean of the vertices' risks, which is above R(e_m) unless u = e_m.",
    ),
    Theorem(
        "vertex-kkt", "Vertex KKT rule",
        "If R is convex on the simplex, e_m minimises it exactly if dR/du_m <= dR/du_j at e_m for every other j, "
        "and it is the only minimiser if these are strict or R is strictly convex.",
        ("R(u) = sum_i psi_i(u_i) with every psi_i convex",),
        r"\frac{\partial R}{\partial u_m}(e_m) \le \frac{\partial R}{\partial u_j}(e_m)",
        "At e_m every feasible direction is a sum of multiples of e_j - e_m, and so is the slope of R along it. A "
        "convex function is least where none of these slopes is negative.",
    ),
    Theorem(
        "infinite-vertex", "Infinite risk at the vertex",
        "The risk is infinite at the vertex e_m and finite inside the simplex: so is that of every loss with l(0) "
        "infinite, as soon as another label has weight.",
        ("L(e_m, i) is infinite for some label i with weight", "L is finite inside the simplex"),
        r"R(e_m) = \infty > R(w / W)",
        "R(e_m) contains w_i L(e_m, i).",
    ),
    Theorem(
        "one-label", "One label alone",
        "Only one label has weight, so the weighted risk is a multiple of the loss for that label.",
        ("w_n = 0",),
        r"R(u) = w_m L(u, m)",
        "Every other term has weight 0.",
    ),
    Theorem(
        "minimisation", "Minimisation over the simplex",
        "At a minimiser of R that is no vertex one number -lambda is a slope of every psi_i at u_i > 0, and at most "
        "one of these u_i lies where psi_i is strictly concave. For every lambda the sum of the least psi_i(t) + "
        "lambda t bounds R.",
        ("R(u) = sum_i psi_i(u_i)", "every psi_i is finite on [0, 1], and smooth but for known kinks"),
        r"R(u) \ge \sum_i \min_{t}\,\big(\psi_i(t) + \lambda t\big) - \lambda",
        "First and second order conditions on the simplex, where the u_i sum to 1. On a stretch on which psi_i "
        "bends one way lambda determines u_i, so one number and finitely many choices of stretches are left; cells "
        "of lambda are bounded by interval arithmetic.",
    ),
    Theorem(
        "symmetric-rule", "Symmetric rule",
        "A symmetric loss has under the weights (w_m, w_n, ..., w_n) the risk C w_n + (w_m - w_n) L(u, m), so it "
        "has the minimisers of L(u, m).",
        ("sum_i L(u, i) = C for every u", "all weights but the largest are equal"),
        r"R(u) = C\,w_n + (w_m - w_n)\,L(u, m)",
        "Write w as w_n for every label, and w_m - w_n more for label m.",
        GHOSH,
    ),
    Theorem(
        "mean-of-weights", "A normalised loss with an infinite s(0)",
        "R(u) is a mean of the weights, and has no value at a vertex, where the limit depends on the path. It is never "
        "below the smallest weight, and equal to it wherever that label alone has no share, whichever class is "
        "predicted: so the loss is neither calibrated nor asymmetric on weights of which the others differ.",
        (NORMALISED, "s(0) is infinite", "K >= 3"),
        r"R(u) = \frac{\sum_i w_i\, s(u_i)}{\sum_k s(u_k)} \ge \min_i w_i",
        "The w_i are averaged with the weights s(u_i)/S, and s(u_k) outweighs all others as u_k tends to 0.",
    ),
    Theorem(
        "steep-normaliser", "A normalised loss with an infinite slope at 0",
        "If s has an infinite slope at 0 and w_n is above the mean of the weights beside w_m, the risk falls along "
        "the edge from e_m to e_n.",
        (NORMALISED, "s(1) = 0, s(0) is finite", "s'(0) is infinite, s'(1) finite", "the weights beside w_m differ"),
        r"\frac{R(1 - t, t, 0, \dots) - R(e_m)}{t} \to -\infty \quad (t \to 0)",
        "To first order R falls by (w_n - mean) (s(0) - s(t)) / ((K - 1) s(0)), which is larger than any multiple "
        "of t.",
    ),
    Theorem(
        "sum-rule", "Sum rule",
        "If e_m is the only minimiser of one part's risk and among the minimisers of the other's, it is the only "
        "minimiser of their sum.",
        ("L = alpha L1 + beta L2 with alpha, beta > 0",),
        r"\operatorname{argmin} R_1 = \{e_m\},\ e_m \in \operatorname{argmin} R_2 \implies "
        r"\operatorname{argmin}\,(\alpha R_1 + \beta R_2) = \{e_m\}",
        "At any other point both risks are at least what they are at e_m, and the first is larger.",
        ZHOU,
    ),
    Theorem(
        "normaliser", "Normalised plus another loss",
        "The normalised part's risk is a mean of the weights and tends to the least of them along a path into e_m. "
        "So the sum is asymmetric on w, judged by minimising sequences, if the other part is; and it is not if the "
        "other part's risk is no higher than at e_m at another point, at which a lightest label has no share.",
        ("L = alpha s(u_y) / sum_k s(u_k) + X with alpha > 0, X continuous", "s(0) is infinite", "K >= 3 to refute"),
        r"\inf_u R \ge \alpha \min_i w_i + \min_u R_X(u), \qquad \liminf_{u \to e_m} R = \alpha \min_i w_i + R_X(e_m)",
        "If X has e_m as its only minimiser, R_X(u) tends to R_X(e_m) along every minimising sequence, which "
        "therefore converges to e_m. At the other point the normalised part's risk comes as close to min w_i as it "
        "does at e_m.",
    ),
    Theorem(
        "flat-sets", "Asymmetric in the sense of sets",
        "The loss is constant on a stretch next to u = 1, so several predictions are best: 'asymmetric' says here "
        "that the weighted risk and the loss for class m have the same set of minimisers. They have if sum_i "
        "phi(u_i) <= 1 on the simplex.",
        (POINTWISE, "l rises nowhere, and l(0) > l(1)", "l is constant on [c, 1] for some c < 1"),
        r"\sum_i \varphi(u_i) \le 1 \implies \operatorname{argmin} R = \operatorname{argmin} L(\cdot, m)",
        "R(u) - R(e_m) is at least (l(0) - l(1)) (w_m - w_n) times the sum of the other labels' phi(u_i). Where "
        "both sides are 0, phi(u_m) = 1; and phi(u_m) = 1 leaves nothing for the others.",
    ),
    # --- every list of weights --------------------------------------------------------------------------------------
    Theorem(
        "ratio-1", "A ratio of 1",
        "r = 1: the loss is asymmetric on all weights with a unique largest entry.",
        (POINTWISE, STRICT, FINITE, "r = 1"),
        r"r = 1 \implies \frac{w_m}{w_n}\, r > 1 \text{ for all } w",
        "The ratio rule with w_m > w_n.",
        ZHOU,
    ),
    Theorem(
        "two-classes", "Two classes",
        "With two classes and l(t) + l(1-t) >= l(0) + l(1), R(u) - R(e_m) >= (w_m - w_n) (l(0) - l(1-u_m)) > 0 away "
        "from e_m.",
        (POINTWISE, STRICT, FINITE, "K = 2", "l(t) + l(1 - t) >= l(0) + l(1) for all t"),
        r"R(1 - s, s) - R(1, 0) \ge (w_m - w_n)\,(l(0) - l(s))",
        "The difference is w_m (l(1 - s) - l(1)) - w_n (l(0) - l(s)), and the first fall is at least the second.",
    ),
    Theorem(
        "superadditive", "Complete asymmetry by one sum",
        "A loss l(u_y) is completely asymmetric for K classes exactly if sum_i l(u_i) is least at the vertices, "
        "which is to say that sum_i phi(u_i) <= 1 on the simplex.",
        (POINTWISE, STRICT, FINITE),
        r"R(u) - R(e_m) \ge (l(0) - l(1))\,(w_m - w_n) \sum_{i \ne m} \varphi(u_i)",
        "R(u) - R(e_m) is l(0) - l(1) times w_m (1 - phi(u_m)) less the sum of the other w_i phi(u_i), and phi(u_m) "
        "is at most 1 less the sum of the others. Where the sum is above 1 at a point, weights that are almost "
        "equal fail there.",
    ),
    Theorem(
        "half-superadditive", "Complete asymmetry of a half-concave loss",
        "If l is concave on [0, 1/2] and l(t) + l(1-t) >= l(0) + l(1), then sum_i (l(0) - l(u_i)) <= l(0) - l(1) on "
        "the simplex, for any number of classes.",
        (POINTWISE, "l rises nowhere, and l(0) > l(1)", FINITE, "l is concave on [0, 1/2]",
         "l(t) + l(1 - t) >= l(0) + l(1) for all t"),
        r"\sum_i \varphi(u_i) \le \varphi(1 - d) + \varphi(d) \le 1",
        "If one share is 1 - d >= 1/2 the others sum to d, and phi, convex on [0, 1/2] with phi(0) = 0, is largest "
        "in sum where one takes all of d. Otherwise the sum is convex and largest at (1/2, 1/2, 0, ...), where d = "
        "1/2.",
    ),
    Theorem(
        "constant-sum", "When a sum over classes is constant",
        "sum_i f(u_i) is the same for every prediction exactly if f is linear; with two classes, exactly if f(t) + "
        "f(1-t) is constant.",
        ("f is continuous on (0, 1)",),
        r"\sum_i f(u_i) = C \iff f(t) = a + b\,t \quad (K \ge 3)",
        "If two of three or more classes exchange mass, f(x + h) + f(y - h) stays as it is, so f(x) + f(y) depends "
        "on x + y alone, which makes f linear.",
    ),
    # --- consequences -----------------------------------------------------------------------------------------------
    Theorem(
        "noise-tolerance", "Noise tolerance",
        "Clean labels dominate and L is asymmetric on every row: the risk with noise has the same minimiser as the "
        "risk without.",
        ("T[y, y] > T[y, j] for all y and j != y", "L is asymmetric on every row of T",
         "the clean label is a function of the input", "some hypothesis reaches the least loss at every input"),
        r"\operatorname{argmin}_f\, \mathbb{E}\,L(f(x), \tilde{y}) = \operatorname{argmin}_f\, \mathbb{E}\,L(f(x), y)",
        "Given x with the clean label y, the noisy risk is the risk under the weights T[y, .], of which T[y, y] is "
        "the largest.",
        ZHOU,
    ),
    Theorem(
        "exchange", "Exchange argument",
        "Where p_m > p_n and u_m < u_n, exchanging the two lowers the risk; at u_m = u_n, moving mass from n to m "
        "does. So every minimiser predicts a most probable class.",
        ("L extends to the closed simplex (with the value +oo allowed), and the sums are symmetric in the classes",
         "L(u, y) = g(u_y, S), and g falls strictly in u_y at fixed S",
         "dg/du < 0 where the two largest shares tie, or another argument for ties"),
        r"R(u) - R(u_{m \leftrightarrow n}) = (p_m - p_n)\,\big(g(u_m, S) - g(u_n, S)\big) > 0",
        "The exchange leaves S as it is. At a tie the derivative of S along e_m - e_n is 0, so that of R is (p_m - "
        "p_n) dg/du < 0.",
    ),
    Theorem(
        "odd-order", "Ties where the slope vanishes",
        "Where h' vanishes, the first derivative of h that does not is of odd order, so moving mass from n to m "
        "still lowers the risk at a tie.",
        ("L(u, i) = h(u_i)", "h is analytic on (0, 1) and decreases strictly"),
        r"h(t \pm \varepsilon) = h(t) \mp c\,\varepsilon^{k} + \dots,\quad k \text{ odd},\ c > 0",
        "An even order would be an extremum. To leading order R changes by -(p_m - p_n) c eps^k.",
    ),
    Theorem(
        "normalised-two-classes", "Calibration of a normalised loss of two classes",
        "With two classes L(u, m) = s(u_m) / (s(u_m) + s(1 - u_m)) decreases strictly in u_m, and the losses of the "
        "two labels sum to 1: the risk is least where the more probable label's loss is.",
        (NORMALISED, "K = 2", "|s| decreases strictly"),
        r"R = p_n + (p_m - p_n)\,L(u, m)",
        "|s(u_m)| falls and |s(1 - u_m)| rises, and R is a rising function of L(u, m).",
    ),
    Theorem(
        "complete-calibrated", "Completely asymmetric implies calibrated",
        "A completely asymmetric loss is calibrated: R(u) - min R >= (max p - p_n) (l(0) - l(u_n)) where u_n leads.",
        (POINTWISE, STRICT, FINITE, "L is completely asymmetric"),
        r"R(u) - \min R \ge \sum_i (p_m - p_i)\,(l(0) - l(u_i)) \ge (p_m - p_n)\,(l(0) - l(u_n))",
        "R(u) - R(e_m) is (l(0) - l(1)) (p_m - sum_i p_i phi(u_i)), and sum_i phi(u_i) <= 1. A label that leads has "
        "a share of at least 1/K.",
        ZHOU,
    ),
    Theorem(
        "kink-tie", "A tie at a kink",
        "Moving h from n to m at a tie u_m = u_n = t changes the risk by p_n A - p_m B with A = l(t-h) - l(t) and B "
        "= l(t) - l(t+h). So the tie is no minimiser if B >= A for some h, or where l is at least as steep to the "
        "right of t; and if l is convex and steeper to the left, a prediction that ties there is one for some p "
        "with p_m > p_n.",
        (POINTWISE, STRICT, "t lies in [1/K, 1/2] and no share is above t"),
        r"p_n\,(l(t - h) - l(t)) < p_m\,(l(t) - l(t + h))",
        "p_n A < p_m B if A <= B. If l is convex, a number lambda between p_m |l'(t+)| and p_n |l'(t-)| is a "
        "multiplier of the tie; give the other classes equal shares r <= t and p_i = lambda / |l'(r)|, which is at "
        "most p_n.",
    ),
    Theorem(
        "excess-risk", "Excess risk bound",
        "0-1 excess <= c_K (L excess) / (l(0) - l(1)), where c_K is the supremum of 1 / (1 - sum_{i != j} phi(u_i)) "
        "over the predictions u of which u_j is the largest share. No smaller constant holds.",
        (POINTWISE, STRICT, FINITE, "L is completely asymmetric"),
        r"c_K = \sup_{u_j \text{ largest}} \frac{1}{1 - \sum_{i \ne j} \varphi(u_i)}",
        "R(u) - min R is (l(0) - l(1)) (p_m - sum_i p_i phi(u_i)), at least (l(0) - l(1)) (p_m - p_j) (1 - sum_{i "
        "!= j} phi(u_i)), with equality where p_j = 0 and all other p_i are equal.",
    ),
    Theorem(
        "equal-splits", "The worst case of the excess risk bound",
        "If phi is convex on [0, 1/2], the worst prediction is an equal split among s of the classes, 2 <= s <= K.",
        ("phi is convex on [0, 1/2], rises, and phi(0) = 0",),
        r"c_K = \max_{2 \le s \le K} \frac{1}{1 - (s - 1)\,\varphi(1/s)}",
        "Under u_i <= u_j = t <= 1/2 the sum is largest where floor(1/t) - 1 of the others equal t and one takes "
        "what is left; between t = 1/(s + 1) and 1/s that is convex in t. For t > 1/2 it is at most phi(1 - t) <= "
        "phi(1/2).",
    ),
)  # fmt: skip

THEOREMS: dict[str, Theorem] = {theorem.key: theorem for theorem in _ALL}
"""Every theorem by its key, in the order in which a reader needs them."""
