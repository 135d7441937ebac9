"""A Dask scheduler and its workers as separate processes at separate addresses, started by hand as on several machines.

The addresses are those of the loopback network. A worker notes in a file which parts it begins, at which epoch, and
which it finishes.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.runs.postgres import free_port

ROOT = Path(__file__).parents[2]
SCHEDULER = "127.0.0.2"

# Loaded by every worker: it notes what is really computed, whatever the store says of it.
NOTES = """
import os
from pathlib import Path
from alf.runs.journal import Journal
from alf.runs.leases import Lease

def note(*words):
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(" ".join(map(str, words)) + "\\n")

def watch(begin, finish):
    def noted_begin(self, lease, trainer, at_once):
        begin(self, lease, trainer, at_once)
        note("begin", lease.part, trainer.epoch, os.getpid())

    def noted_finish(self):
        finish(self)
        note("finish", self.part, 0, os.getpid())

    return noted_begin, noted_finish

if Journal.__init__.__name__ == "__init__":  # a preload is loaded more than once
    Journal.__init__, Lease.finish = watch(Journal.__init__, Lease.finish)
"""


@dataclass(frozen=True)
class Note:
    """What a worker process did to a part: begin it at an epoch, or finish it."""

    what: str
    part: int
    epoch: int
    pid: int


class Machines:
    """Starts and kills them; all are gone after `close`."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port(SCHEDULER)
        (folder / "notes.py").write_text(NOTES)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ALF_")}
        self.environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NOTES": str(folder / "notes")}
        self._processes: list[subprocess.Popen] = []

    @property
    def scheduler(self) -> str:
        return f"tcp://{SCHEDULER}:{self.port}"

    def start_scheduler(self) -> subprocess.Popen:
        return self._start("scheduler", "--host", SCHEDULER, "--port", str(self.port), "--no-dashboard")

    def start_worker(self, address: str, *options: str) -> subprocess.Popen:
        one = ("--nthreads", "1", "--no-dashboard", "--preload", str(self.folder / "notes.py"))
        return self._start("worker", self.scheduler, "--host", address, *one, *options)

    def kill(self, machine: subprocess.Popen) -> None:
        """Have a machine lose its power: the worker and what would start it again die at once."""
        os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()

    def pids(self, machine: subprocess.Popen) -> set[int]:
        """The processes of a machine."""
        found = subprocess.run(["ps", "-o", "pid=", "-g", str(machine.pid)], capture_output=True, text=True)
        return set(map(int, found.stdout.split()))

    @property
    def notes(self) -> list[Note]:
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Note(words[0], *map(int, words[1:])) for words in map(str.split, lines)]

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                self.kill(process)

    def _start(self, what: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        with (self.folder / f"{what}-{len(self._processes)}.log").open("w") as log:
            started = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(started)
        return started
