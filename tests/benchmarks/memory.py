"""Resident memory: a bot that has started and waits."""

from __future__ import annotations

import time

from tests.benchmarks.runners import ECHO, OURS, running, table, temporary

ROUNDS = 3
SETTLE = 5.0  # seconds


def main() -> None:
    idle: dict[str, list[float]] = {OURS: [], ECHO: []}
    with temporary() as folder:
        for _ in range(ROUNDS):
            for kind, values in idle.items():
                with running(kind, folder) as bot:
                    time.sleep(SETTLE)
                    values.append(bot.memory())
    table("Resident memory", "MiB", {"idle": idle})


if __name__ == "__main__":
    main()
