"""Readers and downloads: real files where there are some, made ones always, and every damaged one named."""

import gc
import gzip
import hashlib
import http.server
import os
import tarfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from alf.data import DATASETS, cifar, fetch, idx
from alf.data.files import File, Remote
from alf.errors import InputError

REAL = Path(os.environ.get("ALF_DATA_DIR") or Path(__file__).parents[2].parent / "shared" / "data")


def md5(contents):
    return hashlib.md5(contents).hexdigest()


@pytest.fixture(autouse=True)
def no_downloads_of_mine(monkeypatch, tmp_path):
    for module in (idx, cifar):
        monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")


# -- CIFAR-100's layout on made files


@pytest.fixture
def made():
    """A small data set in CIFAR-100's layout: reader, contents, pictures, labels."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (30, 3, 32, 32), np.uint8)
    fine = np.arange(30) % 100
    records = np.concatenate([(fine // 5)[:, None], fine[:, None], pictures.reshape(30, -1)], axis=1).astype(np.uint8)
    train, test = records[:20].tobytes(), records[20:].tobytes()
    files = File("train.bin", len(train)), File("test.bin", len(test), md5(test))
    reader = cifar._reader("cifar100", ("cifar-100-binary",), "cifar-100-binary.tar.gz", files[:1], files[1], 2)
    return replace(DATASETS["cifar100"], read=reader), {"train.bin": train, "test.bin": test}, pictures, fine


def lay(folder, contents, form):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
        if form != "bin":
            with gzip.open(folder / f"{name}.gz", "wb") as stream:
                stream.write(data)
    if form == "tar":
        with tarfile.open(folder / "cifar-100-binary.tar.gz", "w:gz") as archive:
            for name in contents:
                archive.add(folder / name, f"cifar-100-binary/{name}")
                (folder / f"{name}.gz").unlink()
    if form != "bin":
        for name in contents:
            (folder / name).unlink()


@pytest.mark.parametrize("form", ["bin", "gz", "tar"])
@pytest.mark.parametrize("where", ["", "cifar100", "cifar-100-binary"])
def test_fine_labels_and_pixels_in_every_form(made, tmp_path, form, where):
    declared, contents, pictures, fine = made
    lay(tmp_path / where, contents, form)
    arrays = declared.load(tmp_path)
    assert (arrays.train_inputs == pictures[:20]).all() and (arrays.test_inputs == pictures[20:]).all()
    assert (arrays.train_labels == fine[:20]).all() and (arrays.test_labels == fine[20:]).all()


def cut(folder):
    (folder / "test.bin").write_bytes((folder / "test.bin").read_bytes()[:-1])


def extend(folder):
    (folder / "test.bin").write_bytes((folder / "test.bin").read_bytes() + b"x")


def overwrite(folder):
    (folder / "test.bin").write_bytes(bytes(30740))


def spoil_labels(folder):
    (folder / "train.bin").write_bytes(b"\xff" * 61480)


def remove_one(folder):
    (folder / "test.bin").unlink()


def remove_all(folder):
    (folder / "test.bin").unlink()
    (folder / "train.bin").unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "must hold 30740 bytes (test.bin), got 30739"),
        (extend, "must hold 30740 bytes (test.bin), got more"),
        (overwrite, "got MD5 "),
        (remove_one, "data cifar100: test.bin not found in "),
        (remove_all, "data cifar100: cifar-100-binary.tar.gz not found in "),
        (spoil_labels, "data cifar100: labels must lie in [0, 100), got 255 to 255"),
    ],
)
def test_damaged_files_are_named_with_what_was_expected(made, tmp_path, damage, says):
    declared, contents, *_ = made
    lay(tmp_path, contents, "bin")
    damage(tmp_path)
    with pytest.raises(InputError) as error:
        declared.load(tmp_path)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("form", ["gz", "tar"])
def test_truncated_archives(made, tmp_path, form):
    declared, contents, *_ = made
    lay(tmp_path, contents, form)
    path = next(tmp_path.glob("*test.bin.gz" if form == "gz" else "*.tar.gz"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=f"{path.name} must .* got a truncated or corrupted file"):
        declared.load(tmp_path)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(InputError, match=f"{path.name} must .* got a truncated or corrupted file"):
        declared.load(tmp_path)


def test_an_archive_that_unpacks_to_gigabytes_is_read_no_further_than_expected(made, tmp_path):
    declared, contents, *_ = made
    lay(tmp_path, contents, "bin")
    (tmp_path / "test.bin").unlink()
    with gzip.open(tmp_path / "test.bin.gz", "wb", compresslevel=1) as stream:
        for _ in range(50):
            stream.write(bytes(10**6))
    with pytest.raises(InputError, match=r"must hold 30740 bytes .* got more"):
        declared.load(tmp_path)


def test_cifar100_has_its_classes():
    names = DATASETS["cifar100"].class_names
    assert len(names) == 100 and list(names) == sorted(names) and names[4] == "beaver" and names[95] == "whale"


# -- IDX


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "IDX: must begin with 00 00 08 and 1 to 4 dimensions, got nothing"),
        (b"PK\x03\x04", "got 50 4b 03 04"),
        (bytes([0, 0, 8, 3, 0, 0]), "IDX: a header of 16 bytes is needed, got 6"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3, 7]), "IDX: 3 values are announced, got 1"),
        (bytes([0, 0, 8, 2]) + b"\xff" * 8, "IDX: 18446744065119617025 values are announced, got 0"),
    ],
)
def test_bad_idx(contents, says):
    with pytest.raises(InputError) as error:
        idx.parse_idx(contents)
    assert says in str(error.value)


# -- real files


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="no real data here")
@pytest.mark.parametrize("key", ["mnist", "fashion-mnist"])
def test_real_idx_files(key):
    declared = DATASETS[key]
    arrays = declared.load(REAL)
    assert arrays.train_inputs.shape == (60000, 1, 28, 28) and arrays.test_inputs.shape == (10000, 1, 28, 28)
    assert np.bincount(arrays.train_labels).min() >= 5421
    scaled = arrays.train_inputs[::7] / 255
    assert scaled.mean() == pytest.approx(declared.mean[0], abs=2e-3)
    assert scaled.std() == pytest.approx(declared.std[0], abs=2e-3)


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="no real data here")
def test_a_folder_of_fashion_under_mnists_name_is_found_out(tmp_path):
    (tmp_path / "mnist").symlink_to(REAL / "fashion-mnist")
    with pytest.raises(InputError, match=r"must hold train-images-idx3-ubyte with MD5 6bbc9ace.*, got MD5 f4a8712d"):
        DATASETS["mnist"].load(tmp_path)


@pytest.mark.skipif(not (REAL / "cifar-10").is_dir(), reason="no real data here")
def test_an_incomplete_cifar_folder_is_named_and_used_only_when_asked():
    with pytest.raises(
        InputError, match=r"none of data_batch_4.bin, data_batch_5.bin in .* at most 30000 training samples"
    ):
        DATASETS["cifar10"].load(REAL)
    arrays = DATASETS["cifar10"].load(REAL, partial=True)
    assert arrays.train_inputs.shape == (30000, 3, 32, 32)
    assert arrays.test_labels[:6].tolist() == [3, 8, 8, 0, 6, 6]  # the well-known first test pictures: cat, ship, ship


# -- downloads


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/cut/"):
            data = Path(self.directory, Path(self.path).name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.connection.close()
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path, made):
    declared, contents, *_ = made
    folder = tmp_path / "served"
    lay(folder, contents, "tar")
    name = "cifar-100-binary.tar.gz"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        remote = Remote(name, "http://127.0.0.1:9/nothing", md5((folder / name).read_bytes()))
        yield address, replace(declared, remotes=(remote,)), folder / name
        running.shutdown()


def test_a_download_is_verified_told_and_then_read(server, tmp_path):
    address, declared, _ = server
    told = []
    folder = fetch(declared, lambda *step: told.append(step), mirror=address, cache=tmp_path / "cache")
    assert told[-1][1] == told[-1][2] == (folder / "cifar-100-binary.tar.gz").stat().st_size
    assert len(declared.load().train_labels) == 20
    fetch(declared, lambda *_: pytest.fail("downloaded again"), mirror=address, cache=tmp_path / "cache")


def test_what_a_killed_download_left_behind_is_swept_and_what_comes_in_beside_it_is_not(server, tmp_path):
    address, declared, _ = server
    folder = tmp_path / "cache" / declared.key
    folder.mkdir(parents=True)
    left, coming = folder / "tmpabcd1234", folder / "tmpefgh5678"
    for path in (left, coming):
        path.write_bytes(b"a part of it")
    os.utime(left, (0, 0))
    fetch(declared, mirror=address, cache=tmp_path / "cache")
    assert not left.exists() and coming.exists()


# pooch leaves the socket of a broken download to the garbage collector, which complains
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("trouble", ["cut", "wrong", "absent", "refused"])
def test_a_bad_download_is_said_and_not_kept(server, tmp_path, trouble):
    address, declared, served = server
    if trouble == "wrong":
        served.write_bytes(b"another file")
    mirror = {"cut": f"{address}/cut", "absent": f"{address}/none", "refused": "http://127.0.0.1:9"}.get(
        trouble, address
    )
    with pytest.raises(InputError) as error:
        fetch(declared, mirror=mirror, cache=tmp_path / "cache")
    says = {"wrong": "must have MD5", "cut": "data cifar100: ", "absent": "the server answers 404", "refused": "cannot"}
    assert says[trouble] in str(error.value) and "\n" not in str(error.value)
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept == []
    gc.collect()


def test_what_is_bundled_has_nothing_to_fetch():
    with pytest.raises(InputError, match="data digits: comes with the installation, there is nothing to fetch"):
        fetch(DATASETS["digits"])
