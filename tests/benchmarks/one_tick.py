"""What storage takes with so many patients: `one_tick DATABASE`: claim all that is due, change one time."""

from __future__ import annotations

import asyncio
import json
import sys
import time as clock
from datetime import UTC, datetime, time, timedelta

from bot.flows.schedule import plan_all
from bot.storage.database import Database
from content.loader import load


async def main(path: str) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    timing, now = load("en").timing, datetime.now(UTC)
    took = []
    for number in range(20):
        at = clock.monotonic()
        async with database.transaction() as store:
            patient = await store.patient(20_000 + number) or await store.patient(number + 1)
            assert patient is not None
            patient = await store.change_patient(patient.id, prompt_at=time(3, number))
            await plan_all(store, patient, timing, now)
        took.append((clock.monotonic() - at) * 1000)
    claimed, at = 0, clock.monotonic()
    while True:
        async with database.transaction() as store:
            rows = await store.claim_due(now + timedelta(hours=1), "bench", now + timedelta(hours=2), 512)
        claimed += len(rows)
        if not rows:
            break
    found = {
        "claim_s": clock.monotonic() - at,
        "claimed": claimed,
        "change_ms": sorted(took)[len(took) // 2],
    }
    await database.close()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
