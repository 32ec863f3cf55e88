"""The usual design: two JobQueue.run_daily for each patient: `job_per_patient COUNT DUE`; prints JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time as clock
from datetime import UTC, datetime, time, timedelta
from typing import Any

from telegram.ext import Application

from tests.benchmarks.runners import cpu_of, memory_of

IDLE = 10.0


async def main(count: int, due: int) -> None:
    logging.disable(logging.CRITICAL)
    fired = 0

    async def remind(_: Any) -> None:
        nonlocal fired
        fired += 1

    before = memory_of(os.getpid())
    application = Application.builder().token(os.environ["BOT_TOKEN"]).build()
    queue = application.job_queue
    assert queue is not None
    began = clock.monotonic()
    far = (datetime.now(UTC) + timedelta(hours=12)).time()
    jobs = [
        queue.run_daily(remind, time(at.hour, at.minute, tzinfo=UTC), name=str(number))
        for number in range(count)
        for at in (far, (datetime.now(UTC) + timedelta(hours=8)).time())
    ]
    await queue.start()
    found: dict[str, float] = {"start": clock.monotonic() - began, "memory": memory_of(os.getpid()) - before}
    used = cpu_of(os.getpid())
    await asyncio.sleep(IDLE)
    found["cpu_minute"] = (cpu_of(os.getpid()) - used) * 60 / IDLE
    took = []
    for number in range(20):
        at = clock.monotonic()
        jobs[number].schedule_removal()
        queue.run_daily(remind, far.replace(tzinfo=UTC), name=str(number))
        took.append((clock.monotonic() - at) * 1000)
    found["change_ms"] = sorted(took)[10]
    moment = datetime.now(UTC) + timedelta(seconds=max(3, due / 1500))
    for _ in range(due):
        queue.run_daily(remind, moment.timetz())
    at = clock.monotonic()
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds() + 6)
    found["fired"] = fired
    found["waited"] = clock.monotonic() - at
    print(json.dumps(found), flush=True)
    os._exit(0)  # a million jobs need no farewell


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
