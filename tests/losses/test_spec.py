"""Loss specs: parsed, validated, printed back."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, log

from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.losses.domain import Domain
from alf.losses.spec import LONGEST
from alf.numbers import decimal, exact_number


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("ce", "ce"),
        (" CE ", "ce"),
        ("agce:q=.60,a=0.60", "agce:a=0.6,q=0.6"),
        ("agce:a=6e-1,q=+0.6", "agce:a=0.6,q=0.6"),
        ("nce agce:q=1.5,a=6,beta=4,alpha=1", "nce+agce:alpha=1,beta=4,a=6,q=1.5"),
        ("nce+agce:alpha=1,beta=4,a=6,q=1.5", "nce+agce:alpha=1,beta=4,a=6,q=1.5"),
        ("rce", "rce"),
        ("rce:A=-4", "rce:A=-4"),
        ("mae:scale=1", "mae"),
        ("mae:scale=2", "mae:scale=2"),
        ("ael: a = 0.0000001", "ael:a=1e-7"),
        ("ael:a=1e16", "ael:a=1e16"),
    ],
)
def test_canonical(typed, canonical):
    assert parse(typed).spec == canonical
    assert parse(canonical).spec == canonical
    assert parse(typed) == parse(canonical)


@pytest.mark.parametrize("loss", [x for d in catalogue().values() for x in d.configurations()], ids=lambda x: x.spec)
def test_round_trips(loss):
    assert parse(loss.spec).values == loss.values
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert loss.replace(**loss.values) == loss


def test_values_are_exact():
    assert parse("agce:a=0.6,q=0.6").values == {"a": Rational(3, 5), "q": Rational(3, 5)}
    assert parse("rce").values["A"] == log(Rational(1, 10000))
    assert float(parse("rce").values["A"]) == pytest.approx(-9.2103, abs=1e-4)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("agc:a=1", "unknown loss 'agc' (did you mean 'agce'?); choose a key such as ce,"),
        ("", "unknown loss ''"),
        ("aul:a=0.5,p=3", "AUL: a must lie in (1, oo), got 0.5"),
        ("aul:a=1,p=3", "AUL: a must lie in (1, oo), got 1"),
        ("gce:q=0", "GCE: q must lie in (0, 1], got 0"),
        ("gce:q=1.01", "GCE: q must lie in (0, 1], got 1.01"),
        ("fl:gamma=-1e-9", "FL: gamma must lie in [0, oo), got -1e-9"),
        ("agce:a=nan,q=1", "AGCE: a must be a number in (0, oo), got 'nan'"),
        ("agce:a=inf,q=1", "AGCE: a must be a number in (0, oo), got 'inf'"),
        ("agce:a=1e999,q=1", "AGCE: a must be a number in (0, oo), got '1e999'"),
        ("agce:a=1/2,q=1", "AGCE: a must be a number in (0, oo), got '1/2'"),
        ("agce:a=١,q=1", "AGCE: a must be a number in (0, oo), got '١'"),
        ("agce:a=1e300,q=1e300", "AGCE: the values of l on [0.000001, 1] must fit a double, got more at a=1e+300"),
        ("anl:a=10,p=400", "ANL: the values of l"),
        ("agce:a=1", "AGCE: q is missing; it must lie in (0, oo)"),
        ("agce:a=1,q=1,a=2", "AGCE: a is given twice"),
        ("agce:a=1,b=2", "AGCE: no hyperparameter 'b'; it has a, q"),
        ("ce:a=1", "CE: no hyperparameter 'a'; it has none"),
        ("agce:a", "AGCE: hyperparameters are written name=value, got 'a'"),
        ("agce:a=1,,q=1", "AGCE: hyperparameters are written name=value, got ''"),
        ("x" * (LONGEST + 1), f"at most {LONGEST} characters, got {LONGEST + 1}"),
        ("\x00\n<script>", "unknown loss '\\x00\\n<script>'"),
    ],
)
def test_bad_specs_are_one_clear_sentence(spec, message):
    with pytest.raises(InputError) as caught:
        parse(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("spec", [None, 3, b"ce", ["ce"]])
def test_not_text(spec):
    with pytest.raises(InputError, match="a loss spec must be text"):
        parse(spec)


def test_values_given_in_code_are_checked_alike():
    agce = catalogue()["agce"]
    assert agce.loss(a=0.6, q=Rational(3, 5)).spec == "agce:a=0.6,q=0.6"
    for bad in (float("nan"), "1", -1, float("inf")):
        with pytest.raises(InputError, match="AGCE: a must"):
            agce.loss(a=bad, q=1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_round_trip(number):
    exact = exact_number(repr(number))
    assert float(exact) == number
    assert exact_number(decimal(exact)) == exact


@given(st.text(max_size=80))
def test_any_text_is_a_loss_or_one_sentence(text):
    try:
        loss = parse(text)
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert parse(loss.spec) == loss


def test_domains():
    half_open = Domain(0, 1, upper_open=False)
    assert str(half_open) == "(0, 1]"
    assert Rational(1) in half_open and Rational(0) not in half_open


@pytest.mark.parametrize(
    ("typed", "canonical"),
    (
        ("exp(-u/2)", "formula:exp(-u/2)"),
        ("  exp( -u / a ) ; a = 2.50 ", "formula:exp(-u/a);a=2.5"),
        ("1-u^2", "formula:1-u**2"),
        ("-ln(u)", "formula:-log(u)"),
        ("ln (2-u)", "formula:log(2-u)"),
        ("FORMULA: 1-u", "formula:1-u"),
        ("formula:2^(-u)", "formula:2**(-u)"),
        ("a*(1-u);a=2[1,3]", "formula:a*(1-u);a=2[1,3]"),
        ("ce*(1-u);ce=2", "formula:ce*(1-u);ce=2"),
    ),
)
def test_a_bare_formula_is_a_formula(typed, canonical):
    assert parse(typed).spec == canonical
    assert parse(canonical).spec == canonical


@pytest.mark.parametrize(
    ("typed", "said"),
    (
        ("agce:a=u,q=1", "AGCE: a must be a number"),
        ("agcee:a=u", "unknown loss 'agcee' (did you mean 'agce'?)"),
        ("aull", "did you mean 'aul'?"),
        ("agce a=0.6,q=0.6", "did you mean 'agce'?"),
        ("gce(q=0.7)", "did you mean 'gce'?"),
        ("nonsense", "a formula in u such as exp(-u/2)"),
        ("1-U", "a formula needs the name u"),
        ("1-uu", "a formula needs the name u"),
        ("bad(", "a bracket '(' is not closed, and a formula needs the name u"),
        ("exp(-x)", "a formula needs the name u"),
        ("exp(-u/2", "a bracket '(' is not closed in 'exp(-u/2'"),
        ("1-u)", "a bracket ')' closes nothing"),
        ("u^^2", "not an expression"),
        ("u^*2", "not an expression"),
        ("2ln(u)", "not an expression"),
        ("1-u;ln=2", "a hyperparameter needs a name of its own, got 'ln'"),
        ("log2(u)", "log or ln"),
        ("1-u:2", "the values of a formula come after ';'"),
    ),
)
def test_what_is_neither_says_what_there_is(typed, said):
    with pytest.raises(InputError) as raised:
        parse(typed)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 220  # not the whole catalogue
