"""The house in a picture: folders as rooms, imports as arrows. ``make house`` writes docs/house.svg.

The floors are those of pyproject.toml, which `lint-imports` guards; an arrow up or a circle is an error here too.
Arrows that follow from others are left out: who imports the room above a room may import that room as well.
"""

import ast
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("alf", "ui", "pages")
LAYERS, FLOORS = 0, 1  # the contracts of pyproject.toml that are drawn
WIDE, HIGH, GAP, RISE = 226, 70, 26, 54


@dataclass(frozen=True)
class House:
    """Rooms in floors, the highest first, and who imports whom."""

    floors: tuple[tuple[str, ...], ...]
    arrows: frozenset[tuple[str, str]]

    def rises(self) -> list[tuple[str, str]]:
        """Arrows that do not point to a lower floor."""
        level = {room: i for i, floor in enumerate(self.floors) for room in floor}
        return sorted((a, b) for a, b in self.arrows if level[a] >= level[b])

    def essential(self) -> list[tuple[str, str]]:
        """The arrows without those that follow from others."""
        below = {a: {b for x, b in self.arrows if x == a} for a, _ in self.arrows}
        return sorted((a, b) for a, b in self.arrows if not any(b in _reached(c, below) for c in below[a] - {b}))


def _reached(room: str, below: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    open_ = [room]
    while open_:
        fresh = below.get(open_.pop(), set()) - found
        found |= fresh
        open_ += fresh
    return found


def declared_floors() -> tuple[tuple[str, ...], ...]:
    """The floors of pyproject.toml, with alf's own in the place of alf."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    upper = [(name,) for name in contracts[LAYERS]["layers"] if name != "alf"]
    own = [tuple(f"alf.{part.strip(' ()')}" for part in row.split("|")) for row in contracts[FLOORS]["layers"]]
    here = [
        tuple(room for room in floor if _place(room).exists()) for floor in upper + own if "__main__" not in floor[0]
    ]
    return tuple(floor for floor in here if floor)


def _place(room: str) -> Path:
    folder = ROOT.joinpath(*room.split("."))
    return folder if folder.is_dir() else folder.with_suffix(".py")


def house(floors: tuple[tuple[str, ...], ...]) -> House:
    """The rooms of these floors with the imports among them, those inside functions included."""
    return House(floors, _arrows({room for floor in floors for room in floor}))


def inside(package: str) -> House:
    """What a package holds, folders and files, each on the lowest floor that lets its arrows point down."""
    rooms = sorted(child for child in _graph().find_children(package) if not child.endswith("__main__"))
    arrows = _arrows(set(rooms))
    above: dict[str, int] = {}

    def depth(room: str, path: tuple[str, ...] = ()) -> int:
        if room in path:
            raise ValueError(f"{package} has a circle of imports: {' -> '.join([*path, room])}")
        if room not in above:
            above[room] = 1 + max((depth(b, (*path, room)) for a, b in arrows if a == room), default=-1)
        return above[room]

    floors: dict[int, list[str]] = {}
    for room in rooms:
        floors.setdefault(depth(room), []).append(room)
    return House(tuple(tuple(floors[level]) for level in sorted(floors, reverse=True)), arrows)


def storeys() -> list[str]:
    """The packages that have folders in them and are no storey's worth of floors themselves."""
    graph = _graph()
    folders = {module.rpartition(".")[0] for module in graph.modules if (ROOT / module.replace(".", "/")).is_dir()}
    return sorted(name for name in folders if name and name != "alf")


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def _arrows(rooms: set[str]) -> frozenset[tuple[str, str]]:
    graph = _graph()
    owner = {module: room for room in rooms for module in {room} | graph.find_descendants(room)}
    pairs = ((a, b) for a in owner for b in graph.find_modules_directly_imported_by(a) if b in owner)
    return frozenset((owner[a], owner[b]) for a, b in pairs if owner[a] != owner[b])


def about(room: str) -> str:
    """The first words of a room's docstring."""
    path = _place(room)
    path = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(path.read_text())) if path.exists() else "one thin script per page"
    return text.partition("\n\n")[0].split(". ")[0].rstrip(".").replace("``", "").replace("\n", " ")


def svg(drawn: House) -> str:
    """The picture."""
    widest = max(map(len, drawn.floors))
    width, height = widest * (WIDE + GAP) + GAP, len(drawn.floors) * (HIGH + RISE) - RISE + 2 * GAP
    at: dict[str, tuple[float, float]] = {}
    for row, floor in enumerate(drawn.floors):
        left = (width - len(floor) * (WIDE + GAP) + GAP) / 2
        if (
            len(floor) == 1 < widest
            and row
            and not any((room, floor[0]) in drawn.arrows for room in drawn.floors[row - 1])
        ):
            left = width - GAP - WIDE  # nothing above imports it: it stands aside, out of the way of others' arrows
        for column, room in enumerate(floor):
            at[room] = (left + column * (WIDE + GAP), GAP + row * (HIGH + RISE))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        "<title>The house: folders as rooms, imports as arrows</title>",
        f'<rect width="{width}" height="{height}" fill="#FCFCFA"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#5B6472"/></marker></defs>',
    ]
    lines += [_arrow(at[a], at[b]) for a, b in drawn.essential()]
    lines += [_room(room, *place) for room, place in at.items()]
    return "\n".join([*lines, "</svg>\n"])


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    x, y = start[0] + WIDE / 2 + (end[0] - start[0]) * 0.08, start[1] + HIGH
    x2, y2 = end[0] + WIDE / 2 + (start[0] - end[0]) * 0.08, end[1]
    bend = (y2 - y) / 2
    path = f"M{x:g} {y:g}C{x:g} {y + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="#5B6472" stroke-width="1.4" marker-end="url(#tip)"/>'


def _room(room: str, x: float, y: float) -> str:
    middle = x + WIDE / 2
    words = textwrap.wrap(about(room), 36, max_lines=2, placeholder=" …")
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="8" fill="#F3F3EE" stroke="#1B5FAA"/>'
        f'<text x="{middle:g}" y="{y + 24:g}" text-anchor="middle" font-size="16" font-weight="600" fill="#1E2430">'
        f"{room.replace('.', '/')}</text>"
    ) + "".join(
        f'<text x="{middle:g}" y="{y + 43 + 15 * i:g}" text-anchor="middle" font-size="11" fill="#4A5260">'
        f"{escape(line)}</text>"
        for i, line in enumerate(words)
    )


def main() -> None:
    """Print the picture, or say which arrows point up."""
    drawn = house(declared_floors())
    if rises := drawn.rises():
        sys.exit("Arrows must point down: " + ", ".join(f"{a} -> {b}" for a, b in rises))
    sys.stdout.write(svg(drawn))


if __name__ == "__main__":
    main()
