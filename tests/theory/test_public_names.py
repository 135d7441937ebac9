"""The public face of `alf.theory`: its functions themselves, looked up when first used."""

import subprocess
import sys

import pytest

import alf.theory


@pytest.mark.parametrize("name", alf.theory.__all__)
def test_a_public_name_is_the_thing_itself_and_is_documented(name):
    found = getattr(alf.theory, name)
    assert name in dir(alf.theory)
    if callable(found):
        assert found.__module__ != "alf.theory" and found.__doc__


def test_what_is_not_there_is_said():
    with pytest.raises(AttributeError, match=r"module 'alf.theory' has no attribute 'nothing'"):
        _ = alf.theory.nothing


def test_every_room_imported_no_public_name_is_shadowed():
    code = """
import importlib, pkgutil, alf.theory
for module in pkgutil.walk_packages(alf.theory.__path__, "alf.theory."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print([name for name in alf.theory._HOMES if not callable(getattr(alf.theory, name))])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_importing_the_face_imports_no_room_of_the_engine():
    code = """
import sys, alf.theory
rooms = ("alf.theory.arithmetic", "alf.theory.claims", "alf.theory.ratios")
before = [room in sys.modules for room in rooms]
print(before, alf.theory.ratio.__name__, "alf.theory.ratios" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[False, False, False] ratio_of True\n"
