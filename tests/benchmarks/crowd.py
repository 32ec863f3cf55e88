"""Many patients in a database at once, each with a prompt and a check-in ahead, written without the bot."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import psycopg

from bot.flows.schedule import ended_night, plan_all
from bot.model import Evening, Kind, Origin, Times
from bot.storage.database import Database
from content.loader import load

# Tables to be filled, and which of their columns says whose a row is.
OURS = {
    "patient": "id",
    **dict.fromkeys(("consent", "sending", "checkin", "evening"), "patient_id"),
}


def stored(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


async def enrol(url: str, first: int = 1, count: int = 1, nights: int = 0) -> str:
    """Enrol people by the store, with nothing due for hours and so many calm nights told before last night.

    Return last night as a button carries it.
    """
    database = Database(url)
    await database.open()
    now = datetime.now(UTC)
    prompt, checkin = (
        (now + timedelta(hours=hours)).time().replace(second=0, microsecond=0) for hours in (14, 22)
    )
    night = ""
    content = load("en")
    async with database.transaction() as store:
        for chat_id in range(first, first + count):
            patient = await store.add_patient(chat_id, "en", Times(prompt, checkin, time(22), time(7)), now)
            await store.record_consent(patient.id, "bench", now)
            patient = await store.change_patient(patient.id, step="done", zone="UTC", country="GB")
            await plan_all(store, patient, content.timing, now)
            last = ended_night(patient, now)
            night = last.strftime("%y%m%d")
            for ago in range(nights, 0, -1):
                on = last - timedelta(days=ago)
                before = await store.open_checkin(patient.id, on, Origin.PROMPTED, "bench", now)
                told = replace(before, pain=ago % 4, completed_at=now, done=frozenset({"pain", "signs"}))
                await store.save_checkin(patient.id, before, told, now, Origin.PROMPTED)
                await store.save_evening(patient.id, Evening(on), now)
    await database.close()
    return night


def fill(
    path: Path,
    count: int,
    due_now: int = 0,
    due_in: float = 0.0,
    kind: Kind = Kind.PROMPT,
    nights: int = 0,
) -> None:
    """Make a database of *count* patients like the first; so many have a prompt due in *due_in* seconds.

    Or a check-in, by *kind*; each has told so many *nights*.
    """
    asyncio.run(enrol(f"sqlite:///{path}", nights=nights))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    for table, ours in OURS.items():
        _multiply(connection, table, ours, count)
    if due_now:
        due = datetime.now(UTC) + timedelta(seconds=due_in)
        last_night = (due - timedelta(days=1)).date().isoformat()
        connection.execute(
            "UPDATE sending SET due_at = ?, useful_until = ?, subject = ? WHERE kind = ? AND patient_id <= ?",
            (stored(due), stored(due + timedelta(hours=3)), last_night, str(kind), due_now),
        )
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def fill_server(url: str, count: int, due_in: float, kind: Kind = Kind.PROMPT, nights: int = 0) -> None:
    """Fill a PostgreSQL database as `fill` does; all have a sending of *kind* due."""
    asyncio.run(enrol(url, nights=nights))
    due = datetime.now(UTC) + timedelta(seconds=due_in)
    last_night = (due - timedelta(days=1)).date().isoformat()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        for table, ours in OURS.items():
            known = server.execute(f"SELECT * FROM {table} LIMIT 0").description or ()  # our own
            names = [column.name for column in known]
            made = {
                "id": "1000 + row_number() OVER ()",
                **({"chat_id": "number"} if table == "patient" else {}),
                # No two alike, as in life.
                **(
                    {"opened_at": "opened_at + number * interval '1 microsecond'"}
                    if table == "checkin"
                    else {}
                ),
                ours: "number",
            }
            values = ", ".join(made.get(name, f'"{name}"') for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            server.execute(
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, "  # our own
                f"generate_series(2, {count}) AS number"
            )
            if "id" in names:
                server.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
        server.execute(
            "UPDATE sending SET due_at = %s, useful_until = %s, subject = %s WHERE kind = %s",
            (due, due + timedelta(hours=3), last_night, str(kind)),
        )
        server.execute("ANALYZE")


def _multiply(connection: sqlite3.Connection, table: str, ours: str, count: int) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    models = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()

    def more() -> Iterator[list[object]]:
        number = 1000
        for patient_id in range(2, count + 1):
            for model in models:
                row = dict(zip(names, model, strict=True))
                number += 1
                if "id" in row:
                    row["id"] = number
                row[ours] = patient_id
                if table == "patient":
                    row["chat_id"] = patient_id
                elif table == "checkin":  # no two alike, as in life
                    row["opened_at"] = f"{row['opened_at'][:-6]}{patient_id % 10**6:06d}"
                yield [*row.values()]

    marks = ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", more())
