"""One tick over indexed rows beside one JobQueue.run_daily for each reminder, by the number of patients.

`SIZES=1000,10000` chooses others. "Idle" is processor time from ten seconds on, as a minute's.
"""

from __future__ import annotations

import os
import time

from tests.benchmarks.crowd import fill
from tests.benchmarks.runners import OURS, rows, running, script, temporary

SIZES = [int(each) for each in os.environ.get("SIZES", "1000,10000,100000,1000000").split(",")]
JOBS = 100_000  # patients, at most, with jobs of their own
DUE = 10_000
SETTLE, IDLE = 5.0, 10.0


def ours(count: int) -> tuple[object, ...]:
    due = min(DUE, count)
    with temporary() as folder:
        path = folder / "quietlegs.db"
        fill(path, count, due_now=due, due_in=3600)
        with running(OURS, folder) as bot:
            started = bot.started_in
            time.sleep(SETTLE)
            memory, used = bot.memory(), bot.cpu()
            # The walk that looks for people without a next prompt takes longer for more: wait for its end.
            for _ in range(60):
                time.sleep(IDLE)
                walked, used = bot.cpu() - used, bot.cpu()
                if walked < 0.5:
                    break
            time.sleep(IDLE)
            idle = (bot.cpu() - used) * 60 / IDLE
        stored = script("tests.benchmarks.one_tick", path)
        assert stored["claimed"] >= due * 0.9, stored
    return (
        OURS, f"{count:,}", f"{started:.2f}", f"{memory:.0f}", f"{idle:.2f}",
        f"{stored['claimed']:,} in {stored['claim_s']:.2f} s", f"{stored['change_ms']:.1f}",
    )  # fmt: skip


def jobs(count: int) -> tuple[object, ...]:
    due = min(DUE, count)
    got = script("tests.benchmarks.job_per_patient", count, due)
    return (
        "a job for each", f"{count:,}", f"+{got['start']:.2f}", f"+{got['memory']:.0f}",
        f"{got['cpu_minute']:.2f}",
        f"{got['fired']:,.0f} of {due:,} fired, {1 - got['fired'] / due:.0%} lost", f"{got['change_ms']:.1f}",
    )  # fmt: skip


def main() -> None:
    lines = []
    for count in SIZES:
        lines.append(ours(count))
        if count <= JOBS:
            lines.append(jobs(count))
    heads = (
        "design",
        "patients",
        "start s",
        "memory MiB",
        "CPU s per idle minute",
        "due together",
        "change one time ms",
    )
    rows("Scheduling", heads, lines)


if __name__ == "__main__":
    main()
