"""The bot as a real process, as an operator runs it: started, asked for its health, ended, killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "1000000001:a-token-for-tests-that-opens-nothing"


def free_port() -> int:
    """Return a port below those that outgoing connections get, so that none takes it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class BotProcess:
    """`python -m bot run`, in a folder of its own; what it logs is kept in `bot.log` there."""

    module: tuple[str, ...] = ("bot", "run")

    def __init__(self, folder: Path, api_url: str, **settings: str) -> None:
        self.folder = folder
        self.database = folder / "quietlegs.db"
        self.listen = f"127.0.0.1:{free_port()}"
        self.settings = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHONTZPATH": "",
            "BOT_TOKEN": TOKEN,
            "BOT_API_URL": api_url,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "ACCESS": "open",
            "LISTEN": self.listen,
            "LOG_LEVEL": "INFO",
            **settings,
        }
        self.process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    async def start(self) -> None:
        """Start the process without waiting for anything."""
        with (self.folder / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.module, cwd=self.folder, env=self.settings, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """Kill the process with -9, if it runs."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def terminate(self) -> tuple[int, float]:
        """Ask the process to end; return its exit code and the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 20)
        return code, time.monotonic() - began

    async def ended(self, timeout: float = 30) -> int:
        """Wait until the process ends by itself and return its exit code."""
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), timeout)

    async def command(self, *words: str) -> int:
        """Run another command of the command line with the same settings and return its exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=self.folder,
            env=self.settings,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()
