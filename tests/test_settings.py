"""Settings: what the environment may say, and the sentence when it says something else."""

from pathlib import Path

import pytest

from alf.errors import InputError
from alf.settings import Settings, table


def test_defaults():
    settings = Settings.from_environment({"HOME": "/nowhere"})
    assert settings.data_dir is None and settings.scheduler is None
    assert settings.store.startswith("sqlite:///") and settings.store.endswith("runs.sqlite")
    assert 1 <= settings.workers <= 8


def test_values(tmp_path):
    given = {"ALF_DATA_DIR": str(tmp_path), "ALF_STORE": str(tmp_path / "x.db"), "ALF_SCHEDULER": "tcp://10.0.0.1:8786"}
    settings = Settings.from_environment(given | {"ALF_MAX_LANES": "7", "ALF_WORKERS": " "})
    assert settings.data_dir == tmp_path.resolve()
    assert settings.store == f"sqlite:///{tmp_path.resolve() / 'x.db'}"
    assert settings.scheduler == "tcp://10.0.0.1:8786"
    assert settings.max_lanes == 7


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("ALF_DATA_DIR", "/no/such/folder", "ALF_DATA_DIR: an existing folder is needed, got /no/such/folder"),
        ("ALF_STORE", "/", "ALF_STORE: a file is needed, got the folder /"),
        ("ALF_STORE", "mysql://u:secret@h/db", "postgresql://..., got h/db"),
        ("ALF_SCHEDULER", "localhost", "ALF_SCHEDULER: an address such as tcp://host:8786 is needed, got localhost"),
        ("ALF_WORKERS", "0", "ALF_WORKERS: a whole number in [1, 256] is needed, got 0"),
        ("ALF_WORKERS", "2.5", "got 2.5"),
        ("ALF_MAX_EPOCHS", "-1", "got -1"),
        ("ALF_DATADIR", "/", "ALF_DATADIR: no such setting; there are ALF_DATA_DIR, "),
    ],
)
def test_bad_settings_are_one_sentence(variable, text, says):
    with pytest.raises(InputError) as error:
        Settings.from_environment({variable: text})
    assert says in str(error.value) and "secret" not in str(error.value)


def test_the_documented_table_is_the_declared_one():
    document = (Path(__file__).parents[1] / "docs" / "running.md").read_text()
    assert table() in document
