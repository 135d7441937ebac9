"""Finding and checking the files of a data set: whole and what they should be, or named with what was expected."""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alf.errors import InputError


class Missing(InputError):
    """None of a data set's files is there: the only case in which a download helps."""


@dataclass(frozen=True)
class File:
    """A file of a data set, described by its unpacked contents.

    Attributes
    ----------
    name
        Without ``.gz``.
    size, md5
        Of the unpacked contents; `md5` is None where none is published.
    """

    name: str
    size: int
    md5: str | None = None


@dataclass(frozen=True)
class Remote:
    """A file to download: what to store it as, where it lies, the MD5 of the file as it is served."""

    name: str
    url: str
    md5: str


def read(key: str, file: File, folders: Sequence[Path], archive: str | None = None) -> bytes | None:
    """Read a file's contents, from whichever form of it lies in the folders, and check them.

    Looked for in each folder in turn: the file, the file with ``.gz``, and a member of the archive. None when there is
    nothing of the kind.

    Raises
    ------
    InputError
        The file is there but truncated, corrupted or another one.
    """
    for folder in folders:
        for path in (folder / file.name, folder / f"{file.name}.gz"):
            if path.is_file():
                return _checked(key, file, path, _unpacked(key, file, path))
        if archive is not None and (folder / archive).is_file():
            return _checked(key, file, folder / archive, _member(key, file, folder / archive))
    return None


def _unpacked(key: str, file: File, path: Path) -> bytes:
    """Read a file, unpacking .gz, one byte further than expected at most."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return stream.read(file.size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"data {key}: {path} must unpack to {file.size} bytes, got a truncated or corrupted file ({error})"
        ) from None
    except OSError as error:
        raise InputError(f"data {key}: {path} cannot be read ({error.strerror or error})") from None


def _member(key: str, file: File, path: Path) -> bytes:
    """Read one member of a .tar.gz without unpacking anything to disk."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.isfile() and Path(member.name).name == file.name:
                    stream = archive.extractfile(member)
                    return stream.read(file.size + 1) if stream else b""
    except (EOFError, OSError, zlib.error, tarfile.TarError) as error:
        raise InputError(
            f"data {key}: {path} must be a gzipped tar archive with {file.name}, "
            f"got a truncated or corrupted file ({error})"
        ) from None
    raise InputError(f"data {key}: {path} must contain {file.name}, got an archive without it")


def _checked(key: str, file: File, path: Path, contents: bytes) -> bytes:
    if len(contents) != file.size:
        got = "more" if len(contents) > file.size else f"{len(contents)}"
        raise InputError(f"data {key}: {path} must hold {file.size} bytes ({file.name}), got {got}")
    if file.md5 is not None:
        digest = hashlib.md5(contents, usedforsecurity=False).hexdigest()
        if digest != file.md5:
            raise InputError(f"data {key}: {path} must hold {file.name} with MD5 {file.md5}, got MD5 {digest}")
    return contents


def folders_of(folder: Path | None, names: Sequence[str], cache: Path) -> list[Path]:
    """List where a data set may lie: subfolders of the data folder, the folder itself, the downloads."""
    places = [] if folder is None else [*(Path(folder) / name for name in names), Path(folder)]
    places += [cache / names[0], cache / names[0] / names[-1]]
    return [place for place in places if place.is_dir()]


def cache_folder() -> Path:
    """Name the folder that downloads are kept in."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("asymmetric-loss-explorer", appauthor=False)) / "data"


def missing(key: str, names: Sequence[str], folder: Path | None) -> Missing:
    """Say that files are not there, and what to do about it."""
    where = f"{folder} or in the downloads" if folder else "the downloads"
    shown = ", ".join(names)
    return Missing(
        f"data {key}: {shown} not found in {where}; run `python -m alf data fetch {key}`, "
        f"or point ALF_DATA_DIR to a folder that has them"
    )
