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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORES = sorted(os.sched_getaffinity(0))
OURS, ECHO = "quietlegs", "bare echo bot"
MODULES = {OURS: ("bot", "run"), ECHO: ("tests.benchmarks.echo",)}


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
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=120) as answer:  # noqa: S310  # our own
            return json.load(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Bot:
    """One of the bots on a peer of its own; `started_in` is the seconds from its start to its first poll."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.peer = Peer()
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHONTZPATH": "",
            "BOT_TOKEN": "1000000001:a-token-for-tests-that-opens-nothing",
            "BOT_API_URL": self.peer.url,
            "DATABASE_URL": f"sqlite:///{folder / 'quietlegs.db'}",
            "ACCESS": "open",
            "LISTEN": "127.0.0.1:0",
            "LOG_LEVEL": "WARNING",
        }
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *MODULES[kind]],
            cwd=folder,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}),  # noqa: PLW1509  # no threads here
        )
        try:
            self.started_in = self._first_poll() - began
        except BaseException:
            self.close()
            raise

    def _first_poll(self) -> float:
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(f"the bot ended with {self._process.returncode} before it polled")
            at = self.peer.ask("first_poll")
            if at is not None:
                return float(at)
            time.sleep(0.1)
        raise RuntimeError("the bot did not poll within a minute")

    def memory(self) -> float:
        """Return the resident memory in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.peer.close()


@contextlib.contextmanager
def running(kind: str, folder: Path) -> Iterator[Bot]:
    bot = Bot(kind, folder)
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


def table(title: str, unit: str, measured: dict[str, dict[str, list[float]]]) -> None:
    """Print medians over the rounds of each figure, by bot, and ours as a ratio to the echo bot's."""
    print(f"{title} ({unit}; median of rounds, lowest to highest)\n")
    print(f"| | {OURS} | {ECHO} | ratio |")
    print("|---|---|---|---|")
    for figure, by_bot in measured.items():
        ours, echo = by_bot[OURS], by_bot[ECHO]
        ratio = statistics.median(ours) / statistics.median(echo)
        print(f"| {figure} | {_spread(ours)} | {_spread(echo)} | {ratio:.2f} |", flush=True)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
