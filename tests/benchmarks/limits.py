"""At Telegram's limits: what is due together goes out from real rows; how much of the limit is used.

Everything is claimed, rendered (check-ins are judged), marked, sent, noted as told, and the next one planned.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.model import Kind
from tests.benchmarks.crowd import fill, fill_server
from tests.benchmarks.runners import OURS, postgres, rows, running, temporary
from tests.servers import fresh_database


@dataclass(frozen=True)
class Case:
    """So many due together at a limit; each patient has told so many nights."""

    rate: int  # messages a second
    due: int
    kind: Kind = Kind.PROMPT
    nights: int = 0


ON_SQLITE = (Case(30, 900), Case(1000, 10000), Case(1000, 2000, Kind.CHECKIN, nights=30))
ON_POSTGRES = (Case(1000, 5000), Case(1000, 1000, Kind.CHECKIN, nights=30))
LEAD = 40.0  # seconds from the filling to the moment they are due: the bot is up and at rest by then
LONGEST = 120.0


def once(case: Case, folder: Path, url: str, due_at: float) -> list[object]:
    """Return what one case came to, as a row of the table."""
    settings = {"SEND_RATE": str(case.rate), "DATABASE_URL": url}
    with running(OURS, folder, settings=settings, soon_ready=True) as bot:
        bot.settle()
        time.sleep(max(0.0, due_at - time.monotonic() - 0.5))
        used = bot.cpu()
        came: list[float] = []
        ends = time.monotonic() + LONGEST
        while len(came) < case.due and time.monotonic() < ends:
            time.sleep(0.5)
            came += bot.peer.ask("sent")
        used = bot.cpu() - used
    came.sort()
    seconds = came[-1] - came[0]
    most = max(sum(1 for at in came[number:] if at < came[number] + 1) for number in range(0, len(came), 7))
    return [
        case.kind, case.nights, case.rate, case.due, case.due - len(came), f"{seconds:.1f}",
        f"{(len(came) - 1) / seconds:.1f}", f"{(len(came) - 1) / seconds / case.rate:.0%}", most,
        f"{used / len(came) * 1000:.2f}",
    ]  # fmt: skip


@contextlib.contextmanager
def filled(case: Case, folder: Path, server: str | None) -> Iterator[tuple[str, float]]:
    """Make a database with everybody in it; give its address and the moment all are due."""
    if server is None:
        fill(folder / "quietlegs.db", case.due, case.due, LEAD, case.kind, case.nights)
        yield f"sqlite:///{folder / 'quietlegs.db'}", time.monotonic() + LEAD
        return
    with fresh_database(server) as url:
        fill_server(url, case.due, LEAD, case.kind, case.nights)
        yield url, time.monotonic() + LEAD


def main() -> None:
    lines = []
    with postgres() as server:
        cases: list[tuple[str, str | None, Case]] = [("SQLite", None, case) for case in ON_SQLITE]
        if server is not None:
            cases += [("PostgreSQL", server, case) for case in ON_POSTGRES]
        for name, at, case in cases:
            with temporary() as folder, filled(case, folder, at) as (url, due_at):
                lines.append([name, *once(case, folder, url, due_at)])
    heads = (
        "database", "what", "nights told", "limit/s", "due together", "lost", "first to last s", "sent/s",
        "of the limit", "most in one second", "CPU ms each",
    )  # fmt: skip
    rows("At the limit, from rows", heads, lines)


if __name__ == "__main__":
    main()
