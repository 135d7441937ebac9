"""The state of a view and its link: a pure mapping between the two, without Streamlit.

Whatever a URL holds is read as if a stranger had written it: what cannot be read falls back to the default and gives
one sentence that says what was wrong. Reading what was written gives the same state again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from alf.errors import InputError, quoted
from alf.losses import Loss, parse
from alf.numbers import exact_number, fraction_text
from ui.state.selection import MOST as MOST_LOSSES
from ui.words.verdict_words import noise_in_words

FEWEST_CLASSES, MOST_CLASSES = 2, 1000


@dataclass(frozen=True)
class Field:
    """One part of a view's state.

    Parameters
    ----------
    name : str
        Its name in the URL.
    default : object
        Its value when the URL has none that can be read.
    read : callable
        (texts, values so far) -> (value, problems). Raises InputError when nothing of it can be used.
    write : callable
        value -> texts; an empty list leaves it out of the URL.
    own : callable, optional
        (values so far) -> the value that None stands for, see `follows`.
    fit : callable, optional
        (value, values so far) -> (what the page shows in its place, a sentence on why or ""), for a value that the
        reader brings from another page. Without one, what cannot be read here is shown as the default.
    room : int, optional
        How many of the reader's losses the page can show, where those are fewer than a reader may have.
    part : Part, optional
        Of which of the reader's values it is a part; `fit` is then given the whole, None where there is none yet.
    settles : bool
        Whether the default becomes the reader's own as soon as a page shows it.
    """

    name: str
    default: Any
    read: Callable[[Sequence[str], Mapping[str, Any]], tuple[Any, list[str]]]
    write: Callable[[Any], list[str]]
    own: Callable[[Mapping[str, Any]], Any] | None = None
    fit: Callable[[Any, Mapping[str, Any]], tuple[Any, str]] | None = None
    room: int | None = None
    part: "Part | None" = None
    settles: bool = True

    def value(self, values: Mapping[str, Any]) -> Any:
        """Its value in a state, with what None stands for put in."""
        value = values[self.name]
        return self.own(values) if value is None and self.own else value


@dataclass(frozen=True)
class Part:
    """A field that is no value of the reader's own but a part of one: the rate of the reader's noise.

    Parameters
    ----------
    of : str
        The name of the whole.
    whole : callable
        (values shown, the whole so far or None) -> the whole after the part was changed.
    """

    of: str
    whole: Callable[[Mapping[str, Any], Any], Any]


def decode(
    fields: Sequence[Field], params: Mapping[str, Sequence[str]], kept: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The state a URL's parameters describe, and a sentence for each thing in them that could not be used.

    What they leave out is as in `kept`, the reader's own values, or the default.

    >>> decode([losses(), classes()], {"loss": ["nce agce:alpha=1,beta=4,a=6,q=1.5"], "classes": ["3"]})
    ({'loss': ('nce+agce:alpha=1,beta=4,a=6,q=1.5',), 'classes': 3}, [])
    >>> decode([classes()], {"classes": ["many"]})
    ({'classes': 10}, ["classes must be a whole number in [2, 1000], got 'many'"])
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in fields:
        values[field.name] = (kept or {}).get(field.name, field.default)
        texts = [text for text in params.get(field.name, ()) if text.strip()]
        if not texts:
            continue
        try:
            values[field.name], said = field.read(texts, values)
        except InputError as error:
            said = [str(error)]
        problems += said
        if field.own and values[field.name] == field.own(values):
            values[field.name] = None
    return values, problems


def fitted(fields: Sequence[Field], own: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a page shows of the reader's own values, and by name a sentence for each that it cannot show as it is.

    The reader keeps the value itself: a matrix of three classes is still there after a look at a page of ten.

    >>> fitted([whole("classes", 10, 2, 20)], {"classes": 100})
    ({'classes': 20}, {'classes': 'At most 20 are shown here; your 100 is kept for the other pages.'})
    >>> fitted([whole("classes", 10, 2, 20)], {})
    ({'classes': 10}, {})
    """
    values: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for field in fields:
        value, note = own.get(field.part.of) if field.part else own.get(field.name, field.default), ""
        if field.fit is not None:
            value, note = field.fit(value, values)
        elif value is not None and (texts := field.write(value)):
            try:
                field.read(texts, values)
            except InputError:
                value = field.default
        values[field.name] = value
        if note:
            notes[field.name] = note
    return values, notes


def encode(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The URL's parameters for a state: the whole of it, so that a link means the same when a default changes.

    >>> encode([losses(), classes()], {"loss": ("ce", "ael:a=2"), "classes": 10})
    {'loss': ['ce', 'ael:a=2'], 'classes': ['10']}
    """
    return {field.name: texts for field in fields if (texts := field.write(field.value(values)))}


def follows(field: Field, own: Callable[[Mapping[str, Any]], Any]) -> Field:
    """The field with None for "what the rest of the state gives": the learning rate of the data set's own recipe.

    The URL carries the value itself, so that a link means the same when a recipe changes; a value that is the one it
    would have anyway is read as None, so that it follows when the reader chooses another data set.

    >>> fields = [whole("low", 1, 0, 9), follows(whole("high", 5, 0, 9), lambda values: values["low"] + 1)]
    >>> decode(fields, {"low": ["3"], "high": ["4"]}), decode(fields, {"low": ["3"], "high": ["8"]})
    (({'low': 3, 'high': None}, []), ({'low': 3, 'high': 8}, []))
    >>> encode(fields, {"low": 6, "high": None})
    {'low': ['6'], 'high': ['7']}
    """
    fit = field.fit and (lambda value, values: (None, "") if value is None else field.fit(value, values))
    return replace(field, default=None, own=own, fit=fit)


def losses(
    default: Sequence[str] = ("ce", "agce:a=0.6,q=0.6", "mae"),
    most: int = MOST_LOSSES,
    parse: Callable[[str], Loss] = parse,
) -> Field:
    """One to `most` losses as canonical specs; `loss=` is repeated in the URL. The pages read with `read_loss`.

    A page with room for fewer than a reader may have looks at some of them, see `ui.state.selection`.
    """

    def read(texts, _):
        found, problems = [], []
        for text in texts[: 2 * most]:  # reading a formula takes its time, and a stranger's link may hold thousands
            try:
                spec = parse(text).spec
            except InputError as error:
                problems.append(str(error))
                continue
            if spec not in found:
                found.append(spec)
        if len(found) > most:
            problems.append(f"at most {most} losses fit one view, got {len(texts)}; the first {most} are shown")
        return tuple(found[:most]) or tuple(default)[:most], problems[:3]

    room = most if most < MOST_LOSSES else None
    return Field("loss", tuple(default)[:most], read, list, fit=lambda value, _: (value, ""), room=room)


def classes(default: int = 10, most: int = MOST_CLASSES) -> Field:
    """K, the number of classes."""
    return whole("classes", default, FEWEST_CLASSES, most)


def whole(name: str, default: int, low: int, high: int) -> Field:
    """A whole number between `low` and `high`."""

    def check(text, _):
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise InputError(f"{_called(name)} must be a whole number in [{low}, {high}], got {quoted(text)}")
        return int(text)

    def fit(value, _):
        shown = min(max(value, low), high)
        limit = f"At most {high}" if value > high else f"At least {low}"
        note = "" if shown == value else f"{limit} are shown here; your {value} is kept for the other pages."
        return shown, note

    return replace(spec(name, check, default), write=lambda value: [str(value)], fit=fit)


def whole_or_all(name: str, low: int, high: int) -> Field:
    """A whole number between `low` and `high`, or 0, written "all".

    >>> decode([whole_or_all("samples", 1, 99)], {"samples": ["all"]})
    ({'samples': 0}, [])
    """
    number = whole(name, 0, low, high)

    def check(text, values):
        if text == "all":
            return 0
        try:
            return number.read([text], values)[0]
        except InputError as error:
            raise InputError(str(error).replace("must be", "must be all or", 1)) from None

    return replace(spec(name, check, 0), write=lambda value: [str(value or "all")])


def choice(name: str, options: Sequence[str], default: str) -> Field:
    """One of a few words."""

    def check(text, _):
        if text not in options:
            raise InputError(f"{_called(name)} must be one of {', '.join(options)}, got {quoted(text)}")
        return text

    return spec(name, check, default)


def spec(name: str, check: Callable[[str, Mapping[str, Any]], Any], default: Any = None) -> Field:
    """The last text, of which `check(text, values so far)` makes a value, or which it refuses with an InputError."""
    return Field(name, default, lambda texts, values: (check(texts[-1].strip(), values), []), lambda value: [value])


def noise(default: str = "symmetric:0.4", stand_in: Callable[[str], str] | None = None, classes: int = 10) -> Field:
    """A noise spec, in its canonical form; it must fit the classes, or the data set, read before it, else `classes`.

    For one that does not there stands, where the page has a data set, `stand_in(data)`, otherwise 40% symmetric noise.
    """

    def check(text, values):
        from alf.data import dataset
        from alf.noise import parse_noise

        data = values.get("data")
        number = dataset(data).classes if data else values.get("classes", classes)
        return parse_noise(text, number, data).spec

    def fit(value, values):
        try:
            return check(value, values), ""
        except InputError:
            data = values.get("data")
            other = stand_in(data) if data and stand_in else STAND_IN
            return other, _kept_noise(value, other, "this data set" if data else "this number of classes")

    return replace(spec("noise", check, default), fit=fit, settles=False)


def noise_kind(reach: Mapping[str, float]) -> Field:
    """The kind of the reader's noise, on a page that shows a few kinds, each up to a rate; see `noise_rate`."""

    def fit(whole, _):
        kind = (whole or "").partition(":")[0]
        return kind if kind in reach else "pair", ""

    def whole(values, before):
        return _noise({**values, "rate": min(values["rate"], reach[values["kind"]])}, before)

    return replace(choice("kind", tuple(reach), "pair"), fit=fit, part=Part("noise", whole), settles=False)


def noise_rate(default: float, high: float | Callable[[Mapping[str, Any]], float]) -> Field:
    """The rate of the reader's noise, on a page that shows symmetric or pair noise up to a rate.

    >>> fields = [noise_kind({"symmetric": 2 / 3, "pair": 0.5}), noise_rate(0.4, 0.5)]
    >>> fitted(fields, {"noise": "symmetric:0.2"})
    ({'kind': 'symmetric', 'rate': 0.2}, {})
    >>> print(fitted(fields, {"noise": "matrix:0.6,0.4;0,1"})[1]["rate"])
    Your 2 × 2 matrix does not fit this page. 40% pair noise is shown here instead; your matrix is kept.
    """
    plain = share("rate", default, 0.0, high)

    def fit(whole, values):
        kind, _, rate = (whole or f"pair:{default}").partition(":")
        if kind == "none":
            return 0.0, ""
        if kind in ("symmetric", "pair"):
            return plain.fit(float(Fraction(rate)), values)
        return default, _kept_noise(whole, f"{values.get('kind', 'pair')}:{default}", "this page")

    return replace(plain, fit=fit, part=Part("noise", _noise), settles=False)


def _noise(values: Mapping[str, Any], before: str | None) -> str:
    """The noise after a page changed its kind or its rate."""
    was = (before or "").partition(":")[0]
    kind = values.get("kind", was if was in ("symmetric", "pair") else "pair")
    rate = Fraction(f"{values['rate']:.12g}")
    return f"{kind}:{fraction_text(rate)}"


STAND_IN = "symmetric:0.4"
"""The noise shown in the place of one that does not fit."""


def _kept_noise(value: str, other: str, whom: str) -> str:
    shown = "Clean labels are" if other == "none" else f"{noise_in_words(other)} is"
    if value.startswith("matrix:"):
        n = value.count(";") + 1
        return f"Your {n} × {n} matrix does not fit {whom}. {shown} shown here instead; your matrix is kept."
    return (
        f"Your {value.partition(':')[0]} noise does not fit this page. {shown} shown here instead; your noise is kept."
    )


_WORDS = {
    "lr": "learning rate",
    "weight_decay": "weight decay",
    "clip": "gradient clipping",
    "scale": "gradient scale",
    "kind": "kind of noise",
    "beside": "clean labels beside",
    "shown": "predictions",
    "show": "quantity shown",
    "mend": "suggestions",
    "list": "page of the list",
    "table": "data",
    "wanted": "seeds",
    "look": "look inside",
    "look-at": "samples looked at",
    "look-map": "kind of map",
    "map-data": "data",
    "map-seeds": "seeds",
    "map-samples": "samples",
    "map-epochs": "epochs",
    "map-lr": "learning rate",
    "map-scale": "gradient scale",
}
"""What a link's name is called on the pages, where that is another word."""


def _called(name: str) -> str:
    return _WORDS.get(name, name)


def token(name: str) -> Field:
    """An identifier such as a run's: letters, digits, - and _; None when there is none."""

    def check(text, _):
        if not (len(text) <= 64 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()):
            raise InputError(f"{_called(name)} must be letters, digits, - and _ (at most 64), got {quoted(text, 40)}")
        return text

    return replace(spec(name, check), write=lambda value: [value] if value else [])


def share(name: str, default: float, low: float, high: float | Callable[[Mapping[str, Any]], float]) -> Field:
    """A decimal number between `low` and `high`, which may depend on the values so far.

    >>> decode([share("rate", 0.4, 0, 0.5)], {"rate": ["nan"]})
    ({'rate': 0.4}, ["rate must be a number in [0, 0.5], got 'nan'"])
    """

    def check(text, values):
        value, top = exact_number(text), high(values) if callable(high) else high
        # A link is written with twelve digits, which may round a limit such as 2/3 up.
        if value is None or not low <= value <= top + 1e-11:
            raise InputError(f"{_called(name)} must be a number in [{low:g}, {top:g}], got {quoted(text)}")
        return min(float(value), top)

    def fit(value, values):
        top = high(values) if callable(high) else high
        shown = min(max(value, low), top)
        note = "" if shown == value else f"Up to {top:.4g} is shown here; your {value:.4g} is kept for the other pages."
        return shown, note

    return replace(spec(name, check, default), write=lambda value: [f"{value:.12g}"], fit=fit)
