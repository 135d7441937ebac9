"""The curve l(u) that a loss is, where it depends on u_y alone."""

from sympy import Expr, Integer

from alf.losses import Loss, u


def alone(loss: Loss) -> Expr | None:
    """l(u) of a loss that depends on u_y alone, a combination whose other parts have weight 0 included.

    >>> from alf.losses import parse
    >>> alone(parse("nce+ael:alpha=0,beta=1,a=2")), alone(parse("nce"))
    (exp(-u/2), None)
    """
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    if not all(term.pointwise for _, term in terms):
        return None
    return sum((weight * term.exact for weight, term in terms), Integer(0))


def single(loss: Loss) -> Loss:
    """The catalogue's loss that a combination with one weight 0 and one weight 1 is; otherwise the loss itself."""
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else loss


def constant(loss: Loss) -> bool:
    """Whether every weight is 0, so that nothing depends on the prediction."""
    found = alone(loss)
    return found is not None and not found.has(u)
