"""A PostgreSQL server for the tests, from the system's package: a folder of its own, a socket in it, no network."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    path = found[-1] if found else shutil.which("initdb")
    return None if path is None else Path(path).resolve().parent


class Server:
    """A server that begins at once and ends with `close`; its settings give up safety for speed."""

    def __init__(self, programs: Path):
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="alf-pg-"))  # a socket's path may have 107 characters
        self.user = None
        if os.getuid() == 0:  # PostgreSQL refuses to be run by root
            self.user = next((u.pw_name for u in pwd.getpwall() if u.pw_name == "postgres"), "nobody")
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)
        self._run("initdb", "-D", self.data, "-U", "alf", "--auth=trust", "-N", "-E", "UTF8")
        quick = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB"
        options = f"{quick} -c max_connections=300 -c listen_addresses= -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-o", options, "-w", "start")
        self._made = 0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> URL:
        return URL.create("postgresql+psycopg", "alf", database=database, query={"host": str(self.folder)})

    def new(self) -> str:
        """Make an empty database and return its URL."""
        self._made += 1
        name = f"runs{self._made}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name).render_as_string(hide_password=False)

    def close(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            user=self.user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"
