"""From a pressed button to the edited message. Ours saves the answer, judges it and commits it before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import quote

from bot.flows.schedule import ended_night
from bot.model import Times
from bot.storage.database import Database
from tests.benchmarks.runners import ECHO, OURS, quantile, running, table, temporary

ROUNDS = 3
PRESSES = 200
RATES = (20,)  # a second
PEOPLE = 100


async def enrol(folder: Path) -> str:
    """Enrol everybody and return last night as a button carries it."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'quietlegs.db'}")
    await database.open()
    now = datetime.now(UTC)
    # Nothing is due while it is measured.
    prompt, checkin = (
        (now + timedelta(hours=hours)).time().replace(second=0, microsecond=0) for hours in (14, 22)
    )
    night = ""
    async with database.transaction() as store:
        for chat_id in range(1, PEOPLE + 1):
            times = Times(prompt, checkin, time(22), time(7))
            patient = await store.add_patient(chat_id, "en", times, now)
            await store.record_consent(patient.id, "bench", now)
            patient = await store.change_patient(patient.id, step="done", zone="UTC", country="GB")
            night = ended_night(patient, now).strftime("%y%m%d")
    await database.close()
    return night


def main() -> None:
    measured: dict[str, dict[str, list[float]]] = {
        f"{name}, {rate}/s": {OURS: [], ECHO: []} for rate in RATES for name in ("median", "p99")
    }
    with temporary() as folder:
        night = asyncio.run(enrol(folder))
        data = "".join(f"&data={quote(f'ci:{night}:pain:+p{score}')}" for score in (3, 4, 5, 6))
        for _ in range(ROUNDS):
            for kind in (OURS, ECHO):
                with running(kind, folder) as bot:
                    bot.peer.ask(f"press?count=100&rate=50&people={PEOPLE}{data}")  # warm
                    for rate in RATES:
                        took = bot.peer.ask(f"press?count={PRESSES}&rate={rate}&people={PEOPLE}{data}")
                        if len(took) < PRESSES:
                            print(f"{kind}: {PRESSES - len(took)} of {PRESSES} presses were not dealt with")
                        if not took:
                            continue
                        measured[f"median, {rate}/s"][kind].append(quantile(took, 0.5))
                        measured[f"p99, {rate}/s"][kind].append(quantile(took, 0.99))
    table("Press to edited message", "ms", measured)


if __name__ == "__main__":
    main()
