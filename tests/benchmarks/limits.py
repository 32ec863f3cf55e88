"""At Telegram's limits: prompts that are due together go out from real rows; how much of the limit is used.

Every prompt is claimed, rendered, marked, sent, noted as told, and the next one planned.
"""

from __future__ import annotations

import shutil
import time

from tests.benchmarks.crowd import fill
from tests.benchmarks.runners import OURS, rows, running, temporary

CASES = ((30, 900), (1000, 10000))  # messages a second, prompts due together
LEAD = 15.0  # seconds from the filling to the moment they are due: the bot is up and at rest by then
LONGEST = 120.0


def main() -> None:
    lines = []
    for rate, due in CASES:
        with temporary() as folder:
            fill(folder / "quietlegs.db", due, due_now=due, due_in=LEAD)
            due_at = time.monotonic() + LEAD
            with running(OURS, folder, settings={"SEND_RATE": str(rate)}) as bot:
                time.sleep(max(0.0, due_at - time.monotonic() - 0.5))
                used = bot.cpu()
                came: list[float] = []
                ends = time.monotonic() + LONGEST
                while len(came) < due and time.monotonic() < ends:
                    time.sleep(0.5)
                    came += bot.peer.ask("sent")
                used = bot.cpu() - used
            shutil.rmtree(folder, ignore_errors=True)
        came.sort()
        seconds = came[-1] - came[0]
        most = max(
            sum(1 for at in came[number:] if at < came[number] + 1) for number in range(0, len(came), 7)
        )
        lines.append(
            (
                rate, due, due - len(came), f"{seconds:.1f}", f"{(len(came) - 1) / seconds:.1f}",
                f"{(len(came) - 1) / seconds / rate:.0%}", most, f"{used / len(came) * 1000:.2f}",
            )
        )  # fmt: skip
    heads = (
        "limit/s", "due together", "lost", "first to last s", "sent/s", "of the limit", "most in one second",
        "CPU ms each",
    )  # fmt: skip
    rows("Prompts at the limit, from rows (SQLite)", heads, lines)


if __name__ == "__main__":
    main()
