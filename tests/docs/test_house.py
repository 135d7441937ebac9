"""The picture of the house is that of this tree, and it cannot be drawn with an arrow that points up."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("grimp")
from docs.generate.house import House, declared_floors, house, inside, storeys, svg

ROOT = Path(__file__).parents[2]


def test_the_committed_picture_is_that_of_this_tree():
    drawn = house(declared_floors())
    assert not drawn.rises()
    assert svg(drawn) == (ROOT / "docs" / "house.svg").read_text(), "make house"


def test_every_room_of_alf_has_its_floor():
    rooms = {room for floor in declared_floors() for room in floor}
    here = {path.stem for path in (ROOT / "alf").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {f"alf.{name}" for name in here} - {"alf.__init__", "alf.__main__"} == {r for r in rooms if "alf" in r}


def test_arrows_up_and_between_rooms_of_a_floor_are_seen():
    floors = (("top",), ("left", "right"), ("ground",))
    down = {("top", "left"), ("left", "ground"), ("top", "ground"), ("right", "ground")}
    assert House(floors, frozenset(down)).rises() == []
    assert ("top", "ground") not in House(floors, frozenset(down)).essential()
    for wrong in (("ground", "top"), ("left", "right")):
        assert House(floors, frozenset(down | {wrong})).rises() == [wrong]


def test_every_storey_is_drawn_with_all_that_it_holds():
    assert "ui" in storeys()
    for package in storeys():
        drawn, folder = inside(package), ROOT.joinpath(*package.split("."))
        assert not drawn.rises(), package
        here = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}
        assert {room.removeprefix(f"{package}.") for floor in drawn.floors for room in floor} == here - {"__main__"}


def test_the_contracts_hold():
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
