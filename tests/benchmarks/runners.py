"""Starts the bare Bot API and the bots beside it, each on a core of its own where there are two."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests import servers
from tests.fault.process import free_port

ROOT = Path(__file__).resolve().parents[2]
CORES = sorted(os.sched_getaffinity(0))
OURS, ECHO, AIOGRAM = "quietlegs", "bare echo bot", "bare aiogram"
MODULES = {
    OURS: ("bot", "run"),
    ECHO: ("tests.benchmarks.echo",),
    AIOGRAM: ("tests.benchmarks.echo_aiogram",),
}
SOON_READY = ("tests.benchmarks.ours",)  # ours, where it is measured once everything is compiled
TOKEN = "1000000001:a-token-for-tests-that-opens-nothing"
# The other library's own virtual environment; `make bench` makes it beside ours.
OTHER_PYTHON = Path(sys.prefix).with_name(f"{Path(sys.prefix).name}-bench") / "bin" / "python"
IDLE = 0.03  # seconds of processor time in a second
TICKS = os.sysconf("SC_CLK_TCK")


def has_aiogram() -> bool:
    """Return whether aiogram can be measured; says aloud when not."""
    if not OTHER_PYTHON.exists():
        print("aiogram is not installed (`make bench` does so): left out\n")
        return False
    return True


class Peer:
    """The bare Bot API in its process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.peer", str(CORES[-1])],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=180) as answer:  # noqa: S310  # our own
            return json.load(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Bot:
    """One of the bots on a peer of its own; `started_in` is the seconds from its start to its first poll."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        pushed: bool = False,
        settings: Mapping[str, str] | None = None,
        soon_ready: bool = False,
    ) -> None:
        self.peer = Peer()
        listen = f"127.0.0.1:{free_port()}"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHONTZPATH": "",
            "BOT_TOKEN": TOKEN,
            "BOT_API_URL": self.peer.url,
            "DATABASE_URL": f"sqlite:///{folder / 'quietlegs.db'}",
            "ACCESS": "open",
            "LISTEN": listen,
            "LOG_LEVEL": "ERROR",
            **({"WEBHOOK_URL": f"http://{listen}/telegram", "HOOK_PORT": listen[10:]} if pushed else {}),
            **(settings or {}),
        }
        python = str(OTHER_PYTHON) if kind == AIOGRAM else sys.executable
        began = time.monotonic()
        self._process = subprocess.Popen(
            [python, "-m", *(SOON_READY if soon_ready and kind == OURS else MODULES[kind])],
            cwd=folder,
            env=environment,
            stderr=subprocess.DEVNULL if kind != OURS else None,
            preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}),  # noqa: PLW1509  # no threads here
        )
        try:
            self.started_in = self._first_poll() - began
        except BaseException:
            self.close()
            raise

    def _first_poll(self) -> float:
        for _ in range(1200):
            if self._process.poll() is not None:
                raise RuntimeError(f"the bot ended with {self._process.returncode} before it polled")
            at = self.peer.ask("first_poll")
            if at is not None:
                return float(at)
            time.sleep(0.1)
        raise RuntimeError("the bot did not poll within two minutes")

    def memory(self) -> float:
        """Return the resident memory in MiB."""
        return memory_of(self._process.pid)

    def cpu(self) -> float:
        """Return the seconds of processor time used so far."""
        return cpu_of(self._process.pid)

    def settle(self) -> None:
        """Return when what follows the start (compiling the vocabulary) is done, after a minute at most."""
        for _ in range(60):
            used = self.cpu()
            time.sleep(1)
            if self.cpu() - used < IDLE:
                return

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.peer.close()


def memory_of(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def script(module: str, *words: object, other: bool = False) -> Any:
    """Run a benchmark's own small program on the bots' core and return what it prints, as JSON."""
    done = subprocess.run(
        [str(OTHER_PYTHON) if other else sys.executable, "-m", module, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONTZPATH": "", "BOT_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}),  # no threads here
    )
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def running(
    kind: str,
    folder: Path,
    pushed: bool = False,
    settings: Mapping[str, str] | None = None,
    soon_ready: bool = False,
) -> Iterator[Bot]:
    bot = Bot(kind, folder, pushed, settings, soon_ready)
    try:
        yield bot
    finally:
        bot.close()


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="quietlegs-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """A PostgreSQL that writes to the disk before it says so, unlike the tests'; None where there is none."""
    install = servers._postgres_install()
    if install is None:
        print("PostgreSQL is not here: left out\n")
        yield None
        return
    careless = ("fsync=", "full_page_writes=")
    settings: Any = tuple(each for each in servers.POSTGRES_SETTINGS if not each.startswith(careless))
    servers.POSTGRES_SETTINGS, kept = settings, servers.POSTGRES_SETTINGS
    try:
        with servers.postgres_server(install) as server:
            yield server
    finally:
        servers.POSTGRES_SETTINGS = kept


def table(title: str, unit: str, measured: dict[str, dict[str, list[float]]]) -> None:
    """Print medians over the rounds of each figure, by bot, and ours as a ratio to the echo bot's."""
    print(f"{title} ({unit}; median of rounds, lowest to highest)\n")
    print(f"| | {OURS} | {ECHO} | ratio |")
    print("|---|---|---|---|")
    for figure, by_bot in measured.items():
        ours, echo = by_bot[OURS], by_bot[ECHO]
        ratio = statistics.median(ours) / statistics.median(echo)
        print(f"| {figure} | {spread(ours)} | {spread(echo)} | {ratio:.2f} |", flush=True)


def rows(title: str, heads: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print a table of its own shape."""
    print(f"{title}\n")
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for line in lines:
        print(f"| {' | '.join(map(str, line))} |", flush=True)
    print(flush=True)


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
