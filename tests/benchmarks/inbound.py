"""From a pressed button to the saved row and the edited message, beside bare bots that save nothing.

Ours keeps the update, saves the answer, judges it and commits before it says so. `ROUNDS=1` for a quick look.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
from pathlib import Path
from urllib.parse import quote

from tests.benchmarks.crowd import enrol
from tests.benchmarks.runners import (
    AIOGRAM,
    ECHO,
    OURS,
    has_aiogram,
    postgres,
    quantile,
    rows,
    running,
    temporary,
)
from tests.servers import fresh_database

ROUNDS = int(os.environ.get("ROUNDS", "3"))
PEOPLE = 20
BACKLOG = 300
RATE, AT_RATE = 20, 100


def once(
    kind: str, folder: Path, pushed: bool, url: str | None, night: str
) -> tuple[float, float, float, float]:
    """Return updates a second, CPU ms each, and the median and 99th percentile at a fixed rate (ms)."""
    data = "".join(f"&data={quote(f'ci:{night}:pain:+p{score}')}" for score in (3, 4, 5, 6))
    settings = {"SEND_RATE": "1000", **({"DATABASE_URL": url} if url else {})}
    print(f"{kind}, {'webhook' if pushed else 'polling'} ...", file=sys.stderr, flush=True)
    with running(kind, folder, pushed, settings, soon_ready=True) as bot:
        bot.settle()
        bot.peer.ask(f"press?count={PEOPLE}&rate=50&people={PEOPLE}{data}")  # warm
        used = bot.cpu()
        backlog = bot.peer.ask(f"press?count={BACKLOG}&rate=1000000&people={PEOPLE}{data}")
        used = bot.cpu() - used
        paced = bot.peer.ask(f"press?count={AT_RATE}&rate={RATE}&people={PEOPLE}{data}")
        if len(backlog) < BACKLOG or len(paced) < AT_RATE:
            print(f"{kind}: {BACKLOG - len(backlog)} and {AT_RATE - len(paced)} presses were not dealt with")
        return (
            len(backlog) / max(backlog) * 1000,
            used / BACKLOG * 1000,
            quantile(paced, 0.5),
            quantile(paced, 0.99),
        )


def main() -> None:
    kinds = [(ECHO, "nothing")] + ([(AIOGRAM, "nothing")] if has_aiogram() else [])
    found: dict[tuple[str, str, str], list[tuple[float, float, float, float]]] = {}
    with temporary() as folder, postgres() as server:
        night = asyncio.run(enrol(f"sqlite:///{folder / 'quietlegs.db'}", count=PEOPLE))
        for _ in range(ROUNDS):
            for pushed in (False, True):
                how = "webhook" if pushed else "polling"
                for kind, saves in kinds:
                    found.setdefault((kind, how, saves), []).append(once(kind, folder, pushed, None, night))
                found.setdefault((OURS, how, "SQLite"), []).append(once(OURS, folder, pushed, None, night))
                if server is None:
                    continue
                with fresh_database(server) as url:
                    asyncio.run(enrol(url, count=PEOPLE))
                    figures = once(OURS, folder, pushed, url, night)
                    found.setdefault((OURS, how, "PostgreSQL"), []).append(figures)
    lines = []
    for (kind, how, saves), rounds in found.items():
        rate, cpu, median, worst = (statistics.median(each) for each in zip(*rounds, strict=True))
        lines.append((kind, how, saves, f"{rate:.0f}", f"{cpu:.2f}", f"{median:.1f}", f"{worst:.0f}"))
    rows(
        f"Press to edited message (median of {ROUNDS} rounds)",
        (
            "bot",
            "updates come by",
            "saves",
            "backlog updates/s",
            "CPU ms each",
            f"p50 ms at {RATE}/s",
            "p99 ms",
        ),
        lines,
    )


if __name__ == "__main__":
    main()
