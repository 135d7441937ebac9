"""A PostgreSQL server for the tests, from the system's package: a folder of its own with a socket, or an address."""

import os
import pwd
import shutil
import socket
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


def free_port(address: str) -> int:
    with socket.socket() as free:
        free.bind((address, 0))
        return free.getsockname()[1]


class Server:
    """A server that begins at once and ends with `close`; its settings give up safety for speed.

    It listens at a socket of its own, or at an address.
    """

    def __init__(self, programs: Path, address: str | None = None):
        self.programs, self.address = programs, address
        self.port = 5432 if address is None else free_port(address)
        self.folder = Path(tempfile.mkdtemp(prefix="alf-pg-"))  # a socket's path may have 107 characters
        self.user = None
        if os.getuid() == 0:  # PostgreSQL refuses to be run by root
            self.user = next((u.pw_name for u in pwd.getpwall() if u.pw_name == "postgres"), "nobody")
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)
        self._run("initdb", "-D", self.data, "-U", "alf", "--auth=trust", "-N", "-E", "UTF8")
        self.start()
        self._made = 0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        durable = "off" if self.address is None else "on"  # against its own crash, not against that of the machine
        quick = f"-c fsync=off -c synchronous_commit={durable} -c full_page_writes=off -c shared_buffers=32MB"
        where = f"-c listen_addresses={self.address or ''} -c port={self.port} -c unix_socket_directories={self.folder}"
        options = f"{quick} -c max_connections=300 {where}"
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> URL:
        if self.address is not None:
            return URL.create("postgresql+psycopg", "alf", host=self.address, port=self.port, database=database)
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
        self.stop()
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
