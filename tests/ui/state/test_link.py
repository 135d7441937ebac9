"""The state of a view and its URL: a round trip, and garbage that falls back with one sentence."""

from urllib.parse import parse_qs, urlencode

import pytest

from alf.losses import catalogue
from ui.state import link

FIELDS = (link.losses(), link.classes(), link.noise(), link.token("run"), link.share("rate", 0.4, 0.0, 0.5))
SPECS = [loss.spec for d in catalogue().values() for loss in d.configurations()]


def through_a_url(values):
    """Encode, write as a query string, read it as a browser's and a server's libraries do, decode."""
    return link.decode(FIELDS, parse_qs(urlencode(link.encode(FIELDS, values), doseq=True)))


@pytest.mark.parametrize("spec", SPECS)
def test_every_loss_survives_its_url(spec):
    values = {"loss": (spec, "ce") if spec != "ce" else ("ce",), "classes": 7, "noise": "pair:0.3", "run": "a-1_b"}
    values["rate"] = 0.25
    assert through_a_url(values) == (values, [])


def test_a_plus_that_became_a_space_is_read():
    values, problems = link.decode(FIELDS, parse_qs("loss=nce+agce:alpha=1,beta=4,a=6,q=1.5"))
    assert values["loss"] == ("nce+agce:alpha=1,beta=4,a=6,q=1.5",) and not problems


def test_an_empty_url_is_the_default_view():
    values, problems = link.decode(FIELDS, {})
    assert problems == []
    assert through_a_url(values) == (values, [])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("loss", "agce:a=0.6", "AGCE: q is missing"),
        ("loss", "aul:a=0.5,p=3", "AUL: a must lie in (1, oo), got 0.5"),
        ("loss", "agce:a=nan,q=1", "AGCE: a must be a number in (0, oo), got 'nan'"),
        ("loss", "__import__('os').system('true')", "unknown loss"),
        ("loss", "\x00\x00", "unknown loss"),
        ("loss", "x" * 100_000, "at most 2000 characters"),
        ("classes", "1", "classes must be a whole number in [2, 1000], got '1'"),
        ("classes", "10.0", "classes must be a whole number in [2, 1000]"),
        ("classes", "９", "classes must be a whole number in [2, 1000]"),
        ("classes", "-3", "classes must be a whole number in [2, 1000]"),
        ("classes", "9" * 5000, "classes must be a whole number in [2, 1000]"),
        ("noise", "symmetric:2", "noise"),
        ("noise", "matrix:1,2;3", "noise"),
        ("run", "../../etc/passwd", "run must be letters"),
        ("run", "a" * 65, "run must be letters"),
        ("rate", "0.9", "rate must be a number in [0, 0.5], got '0.9'"),
        ("rate", "inf", "rate must be a number in [0, 0.5], got 'inf'"),
    ],
)
def test_garbage_falls_back_and_says_why_in_one_sentence(name, text, said):
    values, problems = link.decode(FIELDS, {name: [text]})
    assert values == link.decode(FIELDS, {})[0]
    assert len(problems) == 1 and said in problems[0]
    assert "\n" not in problems[0] and len(problems[0]) < 700
    assert all(c.isprintable() for c in problems[0])


def test_good_losses_stay_when_others_are_garbage():
    values, problems = link.decode(FIELDS, {"loss": ["ce", "nonsense", "ael:a=2", "ce"]})
    assert values["loss"] == ("ce", "ael:a=2") and len(problems) == 1


def test_more_than_six_losses_are_cut_and_said():
    values, problems = link.decode(FIELDS, {"loss": [f"ael:a={k}" for k in range(1, 9)]})
    assert len(values["loss"]) == 6 and "at most 6 losses" in problems[0]


def test_noise_must_fit_the_classes_of_the_same_url():
    good = {"classes": ["2"], "noise": ["matrix:.6,.4;.3,.7"]}
    assert link.decode(FIELDS, good)[0]["noise"].startswith("matrix:")
    bad, problems = link.decode(FIELDS, {**good, "classes": ["3"]})
    assert bad["noise"] == "symmetric:0.4" and len(problems) == 1


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (link.share("lr", 0.1, 0.0, 1.0), "learning rate must be a number in [0, 1], got 'x'"),
        (link.noise_kind({"symmetric": 0.6, "pair": 0.5}), "kind of noise must be one of symmetric, pair, got 'x'"),
        (link.choice("beside", ("no", "yes"), "no"), "clean labels beside must be one of no, yes, got 'x'"),
    ],
)
def test_what_is_wrong_has_a_readers_name(field, said):
    assert link.decode([field], {field.name: ["x"]}) == ({field.name: field.default}, [said])
