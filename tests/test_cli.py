"""The command line as a person types it: in processes of its own, with the exit status and the streams they see."""

import json
import subprocess
import sys

import pytest

import alf.training
from alf import doctor
from alf.cli import main
from alf.cli.training import tolerance
from alf.doctor import Check
from alf.errors import InputError
from alf.export.run import json_text, recipe_text
from alf.runs import Engine
from alf.settings import Settings
from alf.training import Recipe

SWEPT = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), network="mlp:8", epochs=2)


def run(*arguments, **environment):
    import os

    command = [sys.executable, "-m", "alf", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=250)


def answer(capsys, *arguments):
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_in_a_process_of_its_own():
    result = run("ratio", "agce:q=.60,a=0.60", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["loss"] == "agce:a=0.6,q=0.6"
    assert found["ratio"] == found["upper_ratio"] == pytest.approx((3 / 8) ** 0.4, abs=1e-9)
    assert found["critical_noise"] == {
        "classes": 10,
        "symmetric": pytest.approx(0.8587, abs=5e-5),
        "pair": pytest.approx(0.403156, abs=5e-7),
    }
    assert found["status"] == "proved"


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("agce:a=0.6,q=0.6", 0.675480),
        ("aul:a=5.5,p=3", 0.669421),
        ("ael:a=2.5", 0.670320),
        ("agce:a=4,q=0.2", 0.836512),
        ("aul:a=3,p=0.1", 1),
        ("ael:a=3.5", 0.751477),
        ("aul:a=6.3,p=1.5", 0.917208),
        ("ael:a=1.5", 0.513417),
        ("ce", 0),
        ("gce:q=0.7", 0),
        ("mae", 1),
    ],
)
def test_check_values_of_the_theory(capsys, spec, value):
    found = answer(capsys, "ratio", spec, "--json")
    assert found["ratio"] == pytest.approx(value, abs=5e-7)
    low, high = found["interval"]
    assert low <= found["ratio"] <= high


def test_a_formula_may_begin_with_a_minus(capsys):
    assert answer(capsys, "ratio", "-ln(u+1)", "--json")["loss"] == "formula:-log(u+1)"
    assert main(["ratio", "-x"]) == 2
    assert capsys.readouterr().err == "No such option '-x'.\n"


def test_ratio_that_is_not_defined(capsys):
    found = answer(capsys, "ratio", "nce", "--json")
    assert (found["ratio"], found["status"]) == (None, "not_defined")
    assert found["critical_noise"] == {"classes": 10, "symmetric": None, "pair": None}
    assert main(["ratio", "nce"]) == 0
    assert "not defined" in capsys.readouterr().out


def test_losses(capsys):
    listed = answer(capsys, "losses", "--json")
    assert {"key", "parameters", "presets", "reference", "latex"} <= set(listed[0])
    by_key = {row["key"]: row for row in listed}
    assert by_key["agce"]["presets"]["cifar10"] == "agce:a=0.6,q=0.6"
    assert by_key["aul"]["parameters"][0]["domain"] == "(1, oo)"
    assert main(["losses"]) == 0
    assert "agce:a=0.6,q=0.6" in capsys.readouterr().out


def test_verify(capsys):
    found = answer(capsys, "verify", "agce:a=0.6,q=0.6", "--noise", "pair:0.4", "--json")
    assert (found["loss"], found["noise"], found["classes"]) == ("agce:a=0.6,q=0.6", "pair:0.4", 10)
    assert [c["claim"] for c in found["claims"]] == [
        "decreasing",
        "convex",
        "concave",
        "symmetric",
        "asymmetric",
        "completely_asymmetric",
        "noise_tolerant",
        "calibrated",
        "excess_risk",
    ]
    holds = {c["claim"]: c["holds"] for c in found["claims"]}
    assert holds["decreasing"] and holds["convex"] and holds["noise_tolerant"] and holds["calibrated"]
    assert holds["concave"] is holds["completely_asymmetric"] is False
    for claim in found["claims"]:
        assert {"claim", "holds", "status", "witness", "steps"} <= set(claim)
    assert {"convex", "ratio-rule", None} <= {step["theorem"] for claim in found["claims"] for step in claim["steps"]}


def test_verify_without_noise_says_why(capsys):
    found = answer(capsys, "verify", "ce", "--json")
    for claim in found["claims"]:
        if claim["claim"] in ("asymmetric", "noise_tolerant"):
            assert claim["holds"] is None and claim["steps"]


def test_verify_for_people(capsys):
    assert main(["verify", "ael:a=1.5", "--noise", "pair:0.4"]) == 0
    shown = capsys.readouterr().out
    assert "noise tolerant           no   refuted" in shown


def test_train(capsys):
    arguments = ["train", "--data", "digits", "--noise", "symmetric:0.5", "--loss", "ce", "--loss", "agce:q=0.2,a=4"]
    assert main([*arguments, "--epochs", "2", "--seeds", "0,1", "--json"]) == 0
    *records, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == 2 * 2 * 2 and "epoch" not in summary
    assert {r["loss"] for r in records} == {"ce", "agce:a=4,q=0.2"}
    assert {r["epoch"] for r in records} == {1, 2}
    for record in records:
        assert set(record) >= {
            "run",
            "loss",
            "noise",
            "seed",
            "epoch",
            "train_loss",
            "test_accuracy",
            "clean_accuracy",
            "flipped_given_accuracy",
            "flipped_true_accuracy",
            "confidence",
            "dead_classes",
            "grad_norm",
            "seconds",
        }
        assert 0 <= record["test_accuracy"] <= 1 and 0 < record["confidence"] < 1


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The engine of the sweeps of this module: its store is empty, and nothing was ever downloaded."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))  # the workers inherit it
        engine = Engine(Settings.from_environment({"ALF_STORE": str(folder / "runs.sqlite"), "ALF_WORKERS": "1"}))
        patch.setattr("alf.runs.engine", lambda: engine)
        yield engine
        engine.close()


def test_sweep_trains_recipes_and_tells_of_one_after_another(capsys, tmp_path, swept):
    recipe = SWEPT
    (tmp_path / "one.json").write_text(recipe_text(recipe))
    (tmp_path / "two.json").write_text(json_text(recipe.with_(losses=("mae",)), []))
    assert main(["sweep", str(tmp_path / "one.json"), str(tmp_path / "two.json")]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("loss") for line in lines] == ["ce", "ce", None, "mae", "mae", None]
    assert [line["status"] for line in lines if "epoch" not in line] == ["finished", "finished"]
    assert Recipe.from_dict(lines[2]["recipe"]) == recipe and lines[0]["run"] != lines[3]["run"]
    here = [*alf.training.run(recipe)]  # in this process: the same lines, but for the clock and the name of the run
    assert [line.keys() for line in lines[:3]] == [line.keys() for line in here]
    assert [line["test_accuracy"] for line in lines[:2]] == [line["test_accuracy"] for line in here[:2]]
    assert lines[2]["losses"] == here[2]["losses"] and lines[2]["device"] == here[2]["device"]
    leased = swept.store.shares(swept.store.progress(lines[0]["run"]).owner)
    assert main(["sweep", str(tmp_path / "two.json"), str(tmp_path / "one.json")]) == 0  # nothing is trained again
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines[3:] + lines[:3]
    assert swept.store.shares(swept.store.progress(lines[0]["run"]).owner) == leased


def test_the_limits_of_a_browser_are_none_of_a_command(capsys, tmp_path, swept):
    large = SWEPT.with_(epochs=501, samples=50)
    (tmp_path / "large.json").write_text(recipe_text(large))
    assert main(["sweep", str(tmp_path / "large.json")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 502
    with pytest.raises(InputError, match=r"^epochs: at most 500 in one run here, got 501$"):
        swept.start(large, "a reader")


def test_a_sweep_gives_up_on_a_scheduler_that_is_not_there(tmp_path):
    (tmp_path / "one.json").write_text(recipe_text(SWEPT))
    store = str(tmp_path / "runs.sqlite")
    found = run("sweep", str(tmp_path / "one.json"), ALF_SCHEDULER="tcp://127.0.0.1:9", ALF_STORE=store)
    said = "ALF_SCHEDULER: no scheduler answers at tcp://127.0.0.1:9\n"
    assert (found.returncode, found.stdout, found.stderr) == (2, "", said)


def test_sweep_reads_every_file_before_it_trains_anything(capsys, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(recipe_text(Recipe(data="digits", losses=("ce",), network="mlp:8", epochs=1)))
    bad.write_text('{"data": "digits", "losses": ["ce"], "epochs": 0}')
    for second, says in (
        (str(bad), f"{bad}: epochs: must be a whole number in [1, 100000], got 0"),
        (str(tmp_path), f"sweep: a file with a recipe is needed, got {tmp_path} (Is a directory)"),
        ("nowhere.json", "sweep: a file with a recipe is needed, got nowhere.json (No such file or directory)"),
    ):
        assert main(["sweep", str(good), second]) == 2
        streams = capsys.readouterr()
        assert streams.err == says + "\n" and streams.out == ""


def test_sweep_goes_on_when_the_data_of_one_are_not_here(capsys, tmp_path, swept):
    absent = Recipe(data="cifar100", losses=("ce",), network="cnn-small", epochs=1)
    here = Recipe(data="digits", losses=("ce",), network="mlp:8", epochs=1)
    for name, recipe in (("absent", absent), ("here", here)):
        (tmp_path / f"{name}.json").write_text(recipe_text(recipe))
    assert main(["sweep", str(tmp_path / "absent.json"), str(tmp_path / "here.json")]) == 1
    streams = capsys.readouterr()
    assert "cifar-100-binary.tar.gz" in streams.err and streams.err.count("\n") == 1
    assert [json.loads(line).get("epoch") for line in streams.out.splitlines()] == [1, None]


def test_doctor_says_in_words_what_it_found(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("alf.doctor.workers", lambda settings: Check("workers", "ok", "They start."))
    monkeypatch.setattr("alf.data.cifar.cache_folder", lambda: tmp_path)
    monkeypatch.setenv("ALF_STORE", str(tmp_path / "runs.sqlite"))
    found = answer(capsys, "doctor", "--json")
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert found["ok"] and states["store"] == states["packages"] == states["settings"] == "ok"
    words = {check["name"]: check["words"] for check in found["checks"]}
    assert "it holds 0 runs" in words["store"] and "digits" in words["data"] and "CPU" in words["devices"]
    assert states["data"] == "warning" and "cifar100" in words["data"]
    monkeypatch.setenv("ALF_WORKERS", "many")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "problem  settings   ALF_WORKERS: a whole number in [1, 256] is needed, got many." in shown


def test_doctor_finds_what_is_broken(tmp_path):
    (tmp_path / "train.bin").write_bytes(b"short"), (tmp_path / "file").write_text("")
    settings = Settings.from_environment({"ALF_DATA_DIR": str(tmp_path), "ALF_STORE": "sqlite:////proc/no/runs.sqlite"})
    assert doctor.data(settings).state == "problem" and "train.bin must hold" in doctor.data(settings).words
    assert doctor.store(settings).state == "problem" and "cannot be opened for writing" in doctor.store(settings).words
    gone = doctor.packages(needed=("numpy", "no-such-package"), pages=("no-such-page",))
    assert gone.state == "problem" and "Not installed: no-such-package, no-such-page" in gone.words
    assert doctor.packages(pages=("no-such-page",)).state == "warning"


def test_doctor_starts_a_worker(tmp_path):
    settings = Settings.from_environment({"ALF_STORE": str(tmp_path / "runs.sqlite")})
    assert doctor.workers(settings).words == "A worker process starts and answers."
    nobody = Settings.from_environment({"ALF_SCHEDULER": "tcp://127.0.0.1:9"})
    assert doctor.workers(nobody).words == "ALF_SCHEDULER: no scheduler answers at tcp://127.0.0.1:9."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sweep",), "Missing argument 'RECIPE.json ...'"),
        (("ratio", "foo"), "unknown loss 'foo'; choose a key such as ce,"),
        (("ratio", "aul:a=0.5,p=1"), "AUL: a must lie in (1, oo), got 0.5"),
        (("ratio", "agce:a=nan,q=1"), "AGCE: a must be a number in (0, oo), got 'nan'"),
        (("ratio", "agce:a=1"), "AGCE: q is missing"),
        (("ratio", "ce", "--classes", "1"), "--classes: must lie in [2, 1000], got 1"),
        (("ratio", "ce", "--classes", "x"), "'x' is not a valid integer"),
        (("ratio",), "Missing argument 'LOSS'"),
        (("nonsense",), "Choose one of losses, ratio, verify, train"),
        (("verify", "ce", "--noise", "symmetric:1.5"), "1.5"),
        (("verify", "ce", "--noise", "matrix:.6,.4;.3,.7", "--classes", "3"), "3"),
        (("verify", "ce", "--json", "--latex"), "choose one of --json and --latex"),
        (("train", "--data", "nowhere"), "nowhere"),
        (("train", "--loss", "ce", "--epochs", "0"), "epochs"),
        (("train", "--loss", "ce", "--seeds", "a"), "--seeds: must be whole numbers"),
        (("train", "--loss", "ce", "--device", "tpu"), "tpu"),
        (("train", "--recipe", "none"), "none"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments, message):
    assert main(list(arguments)) == 2
    streams = capsys.readouterr()
    assert message in streams.err
    assert streams.err.count("\n") == 1 and streams.out == ""


def test_data_list_says_what_is_here_and_what_is_damaged(capsys, monkeypatch, tmp_path):
    settings = Settings.from_environment({"ALF_DATA_DIR": str(tmp_path)})
    monkeypatch.setattr("alf.cli.machine.settings", lambda: settings)
    monkeypatch.setattr("alf.data.idx.cache_folder", lambda: tmp_path / "none")
    here = {row["key"]: row for row in answer(capsys, "data", "list", "--json")}
    assert here["digits"]["here"] and not here["mnist"]["here"] and "fetch mnist" in here["mnist"]["how"]
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"short")
    damaged = {row["key"]: row for row in answer(capsys, "data", "list", "--json")}["mnist"]
    assert not damaged["here"] and "train-images-idx3-ubyte must hold 47040016 bytes" in damaged["how"]


def test_a_data_folder_that_does_not_exist():
    result = run("train", "--loss", "ce", "--epochs", "1", ALF_DATA_DIR="/nowhere/at/all")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "ALF_DATA_DIR" in result.stderr and "/nowhere/at/all" in result.stderr


def test_a_defect_of_ours_is_one_line_and_status_1(capsys, monkeypatch):
    def broken(spec):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("alf.losses.parse", broken)
    assert main(["ratio", "ce"]) == 1
    assert capsys.readouterr().err == "failed: ZeroDivisionError: inside (ALF_DEBUG=1 shows where)\n"


def test_tables_in_every_format(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "alf.cli.training.settings", lambda: Settings.from_environment({"ALF_STORE": str(tmp_path / "r.sqlite")})
    )
    found = answer(capsys, "tables", "--data", "cifar10", "--noise", "symmetric:0.40", "--format", "json")
    assert found["noises"] == ["symmetric:0.4"] and found["protocol"] == "paper" and found["departs"] == []
    ce = found["rows"][0]
    assert ce["loss"] == "ce" and ce["cells"][0]["published"][0]["mean"] == 58.46 and ce["cells"][0]["ours"] is None
    missing = found["missing"]
    assert missing["seconds"] > 0 and {r["network"] for r in missing["recipes"]} == {"cnn-cifar10"}
    assert [Recipe.from_dict(recipe).epochs for recipe in missing["recipes"]] == [120] * len(missing["recipes"])
    for form, said in (("csv", "cifar10,paper,CE,ce,"), ("latex", r"\begin{table}"), ("markdown", "| CE | – / 58.46")):
        assert main(["tables", "--noise", "symmetric:0.4", "--format", form]) == 0
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", "photos"), "data: must be one of"),
        (("--noise", "symmetric:2"), "noise"),
        (("--format", "html"), "--format: must be one of markdown, csv, latex, json, got html"),
        (("--protocol", "paper:epochs=none"), "epochs: must be a whole number, got 'none'"),
        (("--data", "digits", "--protocol", "paper"), "protocol: must begin with one of classroom for digits"),
        (("--seeds", "0,x"), "--seeds: must be whole numbers"),
        (("--runs", "nowhere.jsonl"), "tables: a file with runs is needed, got nowhere.jsonl"),
        (("--runs", __file__), "test_cli.py: runs: lines of train --json or sweep"),
    ],
)
def test_tables_refuse_in_a_sentence(capsys, monkeypatch, tmp_path, arguments, said):
    monkeypatch.setattr(
        "alf.cli.training.settings", lambda: Settings.from_environment({"ALF_STORE": str(tmp_path / "r.sqlite")})
    )
    assert main(["tables", *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1 and shown.out == ""


def test_what_happened_is_said_last_and_theory_is_asked_by_loss_and_noise(capsys):
    assert main(["train", "--loss", "mae", "--noise", "pair:0.4", "--epochs", "4", "--seeds", "0", "--lr", "1e-6"]) == 0
    *_, told, theory = capsys.readouterr().out.strip().splitlines()
    assert told.startswith("mae, pair:0.4: starving. The accuracy is ") and "near that of guessing (10%)" in told
    assert "MAE is proved to tolerate this noise" in theory and "how many steps" in theory
    tolerates = tolerance(Recipe(data="mnist", losses=("ce",), network="mlp:8"))
    assert tolerates("mae", "asymmetric:0.4") == "proved" and tolerates("ce", "asymmetric:0.4") is None
