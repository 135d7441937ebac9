"""The reader's losses, and which of them a page looks at that cannot show all. Pure: no Streamlit, no parsing.

Losses are canonical specs. `mine` are the reader's own, at most `MOST`; `looked` are those that a page with less room
has been asked to show, None for the first ones. A page may also look at a guest, a loss that is none of mine: a link
brought it, or there was no room for it. What such a page shows never becomes the list itself.
"""

from collections.abc import Sequence

MOST = 6
"""Losses that a reader has at once: more cannot be told apart in one figure."""


Specs = tuple[str, ...]


def shown(mine: Sequence[str], looked: Sequence[str] | None, most: int) -> Specs:
    """What a page with room for `most` losses shows.

    >>> shown(("ce", "mae", "nce"), None, 1), shown(("ce", "mae", "nce"), ("mae",), 1), shown(("ce",), ("mae",), 1)
    (('ce',), ('mae',), ('mae',))
    """
    return tuple((looked or mine)[:most])


def guests(mine: Sequence[str], looked: Sequence[str]) -> Specs:
    """What of the losses shown is none of mine."""
    return tuple(spec for spec in looked if spec not in mine)


def follow(looked: Sequence[str] | None, before: Sequence[str], after: Sequence[str]) -> Specs | None:
    """What a page goes on looking at when the reader's losses change elsewhere: a loss that was changed, changed.

    A page that looked at all of them looks at all again.

    >>> follow(("mae", "ael:a=2"), ("ce", "ael:a=2"), ("ce", "ael:a=3")), follow(("ce",), ("ce", "mae"), ("mae",))
    (('mae', 'ael:a=3'), None)
    """
    if looked is None or set(looked) == set(before):
        return None
    changed = _changed(before, after)
    kept = [changed.get(spec, spec) for spec in looked]
    return tuple(dict.fromkeys(s for s in kept if s in after or s not in before)) or None


def edit(mine: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Specs:
    """My losses after a page changed what it shows from `before` to `after`: the others stay as they are.

    A changed loss keeps its place; one that was taken away is taken away; a new one joins where there is room.

    >>> edit(("ce", "mae", "nce"), ("mae",), ("ael:a=2",))
    ('ce', 'ael:a=2', 'nce')
    >>> edit(("ce", "mae", "nce"), ("mae", "nce"), ("nce",)), edit(("ce",), ("ce",), ("ce", "mae"))
    (('ce', 'nce'), ('ce', 'mae'))
    """
    if set(before) == set(mine) and len(after) <= MOST:
        return tuple(after)
    changed = _changed(before, after)
    gone = set(before) - set(after)
    kept = [changed.get(spec, spec) for spec in mine]
    kept = [spec for spec in dict.fromkeys(kept) if spec not in gone]
    new = [spec for spec in after if spec not in before and spec not in kept]
    return tuple([*kept, *new][: max(MOST, len(kept))]) or tuple(after[:MOST])


def join(mine: Sequence[str], spec: str, instead_of: str | None = None) -> Specs:
    """My losses with one more, where there is room; `instead_of` leaves its place to it.

    >>> join(("ce",), "mae"), join(("ce", "mae"), "nce", "mae"), join(tuple("abcdef"), "mae")
    (('ce', 'mae'), ('ce', 'nce'), ('a', 'b', 'c', 'd', 'e', 'f'))
    """
    if instead_of in mine and spec not in mine:
        return tuple(spec if one == instead_of else one for one in mine)
    return tuple(dict.fromkeys((*mine, spec)))[: max(MOST, len(mine))]


def adopt(mine: Sequence[str], now: Sequence[str], link: Sequence[str], same_page: bool) -> tuple[Specs, Specs]:
    """My losses, and those looked at, when a link asks a page with less room for `link` while it shows `now`.

    Back to what was shown before the last change undoes that change; any other link only chooses what is looked at.

    >>> adopt(("ce", "mae"), ("ce",), ("mae",), True), adopt(("ce", "mae"), ("ce",), ("nce",), False)
    ((('ce', 'mae'), ('mae',)), (('ce', 'mae'), ('nce',)))
    >>> adopt(("ce", "ael:a=3"), ("ael:a=3",), ("ael:a=2",), True)
    (('ce', 'ael:a=2'), ('ael:a=2',))
    """
    link = tuple(link)
    undo = guests(mine, link) and not guests(mine, now)
    if same_page and (undo or set(now) == set(mine)):
        return edit(mine, now, link), link
    return tuple(mine), link


def _changed(before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Old -> new of the losses that were changed in their places."""
    if len(before) != len(after):
        return {}
    pairs = zip(before, after, strict=True)
    return {old: new for old, new in pairs if old != new and old not in after and new not in before}
