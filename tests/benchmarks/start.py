"""Cold start: from the start of the process to its first getUpdates, disk warm and database there."""

from __future__ import annotations

from tests.benchmarks.runners import ECHO, OURS, running, table, temporary

ROUNDS = 5


def main() -> None:
    took: dict[str, list[float]] = {OURS: [], ECHO: []}
    with temporary() as folder:
        for kind in (OURS, ECHO):
            with running(kind, folder):  # makes the database, warms the disk
                pass
        for _ in range(ROUNDS):
            for kind, values in took.items():
                with running(kind, folder) as bot:
                    values.append(bot.started_in)
    table("Start to first poll", "s", {"to first poll": took})


if __name__ == "__main__":
    main()
