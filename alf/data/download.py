"""Downloads: verified by checksum before anybody sees them, resumable by trying again, with progress."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alf.data.declaration import DataSet
from alf.data.files import cache_folder
from alf.errors import InputError

Progress = Callable[[str, int, int], None]
"""Called with (file name, bytes so far, bytes in all) while a file comes in; the total is 0 where it is not known."""

STALE = 3600.0
"""Seconds without a byte after which a partial download belongs to nobody."""


class _Bar:
    """What pooch wants for a progress bar, passed on to a function."""

    def __init__(self, name: str, tell: Progress):
        self.name, self.tell, self.total, self.done = name, tell, 0, 0

    def update(self, count: int) -> None:
        self.done += count
        self.tell(self.name, self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def fetch(dataset: DataSet, tell: Progress | None = None, mirror: str | None = None, cache: Path | None = None) -> Path:
    """Download a data set's files into the cache; what is there and right is not downloaded again.

    Parameters
    ----------
    dataset
        ``alf.data.DATASETS[KEY]``.
    tell
        Called as the bytes come in, see `Progress`.
    mirror
        Address of a folder with the same files, in place of the official one (``settings().data_mirror``).
    cache
        Where they are kept; the user's cache folder by default.

    Returns
    -------
    Path
        The folder with the files.

    Raises
    ------
    InputError
        Nothing to download, no network, or a file that is not the one whose checksum is declared; a wrong file is
        deleted and never used.
    """
    if not dataset.remotes:
        raise InputError(f"data {dataset.key}: comes with the installation, there is nothing to fetch")
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    folder = (cache or cache_folder()) / dataset.key
    _sweep(folder)
    for remote in dataset.remotes:
        url = f"{mirror.rstrip('/')}/{remote.name}" if mirror else remote.url
        bar = _Bar(remote.name, tell or (lambda name, done, total: None))
        try:
            pooch.retrieve(
                url,
                known_hash=f"md5:{remote.md5}",
                fname=remote.name,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=bar, timeout=30),
            )
        except requests.RequestException as error:
            reason = type(error).__name__
            if error.response is not None:
                reason = f"the server answers {error.response.status_code}"
            raise InputError(f"data {dataset.key}: {url} cannot be downloaded ({reason}); try again later") from None
        except ValueError:
            raise InputError(
                f"data {dataset.key}: {url} must have MD5 {remote.md5}, got another file or a part of it; "
                f"it was not kept"
            ) from None
        except OSError as error:
            raise InputError(f"data {dataset.key}: {folder} cannot be written ({error.strerror or error})") from None
    return folder


def _sweep(folder: Path) -> None:
    """Delete what a killed download has left behind: pooch writes to ``tmp...`` and renames it when it is whole."""
    for left in folder.glob("tmp*"):
        with suppress(OSError):  # somebody else was quicker
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
