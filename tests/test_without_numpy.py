"""Exact mathematics needs no arrays: losses, noise and ratios where there is no NumPy, as in a browser's Python."""

import subprocess
import sys

REFUSED = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "scipy", "torch"):
            raise ModuleNotFoundError(f"{name} is refused", name=name)

sys.meta_path.insert(0, Refused())
"""


def printed(code: str) -> str:
    """What the code prints in a fresh process that refuses NumPy."""
    done = subprocess.run([sys.executable, "-c", REFUSED + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_losses_are_parsed_printed_and_pickled():
    code = """
import pickle
from alf.losses import catalogue, parse
specs = [loss.spec for d in catalogue().values() for loss in d.configurations()] + ["formula:exp(-u/a);a=2.5[1,10]"]
assert [parse(spec).spec for spec in specs] == specs
assert all(pickle.loads(pickle.dumps(parse(spec))).exact == parse(spec).exact for spec in specs)
assert all(parse(spec).latex(values=True) for spec in specs)
from alf.losses.javascript import source
print(source(parse("mae").declaration).count("=>"))
"""
    assert printed(code) == "3"


def test_noise_is_exact():
    code = """
from alf.noise import parse_noise
for spec in ("none", "symmetric:1/3", "pair:0.3", "asymmetric:0.4"):
    assert parse_noise(spec, 10, "cifar10").spec == spec
print(parse_noise("asymmetric:0.4", 10, "cifar10").overall_rate, parse_noise("matrix:.6,.4;.3,.7", 2).exact[1])
"""
    assert printed(code) == "1/5 (Fraction(3, 10), Fraction(7, 10))"


def test_a_ratio_is_found_and_a_claim_proved():
    code = """
from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import prove, ratio
loss = parse("ael:a=2.5")
print(round(ratio(loss).value, 6), prove("noise_tolerant", loss, parse_noise("pair:0.4", 10)).holds)
"""
    assert printed(code) == "0.67032 True"


def test_the_refusal_refuses():
    code = """
from alf.losses import parse
try:
    parse("ce").value(0.5)
except ModuleNotFoundError as error:
    print(error)
"""
    assert printed(code) == "numpy is refused"
