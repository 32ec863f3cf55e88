"""Many patients in a database at once, each with a prompt and a check-in ahead, written without the bot."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bot.flows.schedule import ended_night, plan_all
from bot.model import Kind, Times
from bot.storage.database import Database
from content.loader import load


def stored(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


async def enrol(url: str, first: int = 1, count: int = 1) -> str:
    """Enrol people by the store, with nothing due for hours; return last night as a button carries it."""
    database = Database(url)
    await database.open()
    now = datetime.now(UTC)
    prompt, checkin = (
        (now + timedelta(hours=hours)).time().replace(second=0, microsecond=0) for hours in (14, 22)
    )
    night = ""
    async with database.transaction() as store:
        for chat_id in range(first, first + count):
            patient = await store.add_patient(chat_id, "en", Times(prompt, checkin, time(22), time(7)), now)
            await store.record_consent(patient.id, "bench", now)
            patient = await store.change_patient(patient.id, step="done", zone="UTC", country="GB")
            await plan_all(store, patient, load("en").timing, now)
            night = ended_night(patient, now).strftime("%y%m%d")
    await database.close()
    return night


def fill(path: Path, count: int, due_now: int = 0, due_in: float = 0.0) -> None:
    """Make a database of *count* patients like the first; so many have a prompt due in *due_in* seconds."""
    asyncio.run(enrol(f"sqlite:///{path}"))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    for table, ours in (("patient", "id"), ("consent", "patient_id"), ("sending", "patient_id")):
        _multiply(connection, table, ours, count)
    if due_now:
        due = datetime.now(UTC) + timedelta(seconds=due_in)
        last_night = (due - timedelta(days=1)).date().isoformat()
        connection.execute(
            "UPDATE sending SET due_at = ?, useful_until = ?, subject = ? WHERE kind = ? AND patient_id <= ?",
            (stored(due), stored(due + timedelta(hours=3)), last_night, str(Kind.PROMPT), due_now),
        )
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def _multiply(connection: sqlite3.Connection, table: str, ours: str, count: int) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    models = connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY id").fetchall()

    def more() -> Iterator[list[object]]:
        number = 1000
        for patient_id in range(2, count + 1):
            for model in models:
                row = dict(zip(names, model, strict=True))
                number += 1
                row["id"] = number
                row[ours] = patient_id
                if table == "patient":
                    row["chat_id"] = patient_id
                yield [*row.values()]

    marks = ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", more())
