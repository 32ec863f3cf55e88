"""A database becomes what the program needs, whoever opens it first and whatever it was before."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection

from bot.model import Kind, Times
from bot.storage import migrating
from bot.storage.database import Database, StorageError
from bot.storage.engines import postgres_migrator, sqlite_migrator
from bot.storage.places import place_of
from bot.storage.tables import metadata

NOW = datetime(2025, 3, 1, 20, 0, tzinfo=UTC)
TIMES = Times(time(21, 0), time(7, 30), time(22, 0), time(7, 0))
OPEN = """
import asyncio, sys
from bot.storage.database import Database
asyncio.run(Database(sys.argv[1]).open())
"""


def copies(folder: Path) -> list[Path]:
    return list(folder.glob("*before*"))


async def open_and_close(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    await database.close()


async def test_the_migrated_shape_is_the_shape_the_program_expects(database_url: str) -> None:
    await open_and_close(database_url)
    place = place_of(database_url)
    engine = sqlite_migrator(place) if place.file else postgres_migrator(place)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    with engine.begin() as connection:
        found = differences(connection)
    engine.dispose()
    assert found == []


async def test_the_migrated_sqlite_file_keeps_tables_to_the_letter(tmp_path: Path) -> None:
    """What a comparison of shapes does not see: clustered keys, counted ids, the conditions of indexes."""
    await open_and_close(f"sqlite:///{tmp_path / 'quietlegs.db'}")
    expected = sa.create_engine(f"sqlite:///{tmp_path / 'expected.db'}")
    metadata.create_all(expected)
    expected.dispose()
    assert letters(tmp_path / "quietlegs.db") == letters(tmp_path / "expected.db")


def letters(file: Path) -> dict[str, list[str]]:
    """The definitions by name, their parts in any order (named keys, columns added later)."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        name: sorted(part.strip() for part in re.split(r",\s+(?![^()]*\))|\n", sql))
        for name, sql in rows
        if name != migrating.VERSION_TABLE
    }


async def test_opening_again_changes_nothing(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    await database.open()
    async with database.transaction() as store:
        await store.set_meta("key", "value")
    await database.close()
    await database.open()
    async with database.reading() as store:
        assert await store.meta("key") == "value"
    await database.close()
    assert copies(tmp_path) == []


async def test_several_may_open_a_new_database_at_once(database_url: str) -> None:
    await asyncio.gather(*(open_and_close(database_url) for _ in range(4)))


def test_several_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", OPEN, database_url]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]


async def test_a_newer_database_is_refused(database_url: str) -> None:
    await open_and_close(database_url)
    place = place_of(database_url)
    engine = sqlite_migrator(place) if place.file else postgres_migrator(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StorageError, match=r"newer \(9999\) than this program"):
        await Database(database_url).open()


async def test_a_database_of_another_program_is_refused(database_url: str) -> None:
    place = place_of(database_url)
    engine = sqlite_migrator(place) if place.file else postgres_migrator(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    engine.dispose()
    with pytest.raises(StorageError, match="another program"):
        await Database(database_url).open()


async def test_rebuilding_a_table_deletes_no_children(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'quietlegs.db'}"
    database = Database(database_url)
    await database.open()
    async with database.transaction() as store:
        patient = await store.add_patient(5, "en", TIMES, NOW)
        await store.plan(patient.id, Kind.PROMPT, "night", 0, NOW)
    await database.close()

    def rebuild(connection: Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("patient", recreate="always") as batch:
            batch.alter_column("language", type_=sa.String(32))

    engine = sqlite_migrator(place_of(database_url))
    with engine.begin() as connection:
        rebuild(connection)
        migrating._check_references(connection)
        children = connection.exec_driver_sql("SELECT count(*) FROM sending").scalar_one()
    engine.dispose()
    assert children == 1


async def test_an_older_database_is_copied_before_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "quietlegs.db"
    await open_and_close(f"sqlite:///{file}")

    def upgrade(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0900'")

    monkeypatch.setattr(migrating, "_newest", lambda: "0900")
    monkeypatch.setattr(migrating, "upgrade", upgrade)
    await migrating.migrate(place_of(f"sqlite:///{file}"))

    (copy,) = copies(tmp_path)
    assert copy.name == "quietlegs.db.before-0900-was-0008"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    for path, revision in ((copy, "0008"), (file, "0900")):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)


def before_the_last(connection: sqlite3.Connection) -> None:
    """Undo what the last two revisions did."""
    connection.execute("ALTER TABLE patient DROP COLUMN checkin_every")
    connection.execute("DROP INDEX ix_sending_undecided")
    connection.execute("CREATE INDEX ix_sending_unknown ON sending (due_at) WHERE state = 'unknown'")
    connection.execute("DROP INDEX ix_sending_ready")
    connection.execute("CREATE INDEX ix_sending_ready ON sending (rank, due_at) WHERE state = 'ready'")


async def test_who_was_left_at_the_offer_of_questions_is_enrolled(tmp_path: Path) -> None:
    file = tmp_path / "quietlegs.db"
    database = Database(f"sqlite:///{file}")
    await database.open()
    async with database.transaction() as store:
        patient = await store.add_patient(5, "en", TIMES, NOW)
        await store.change_patient(patient.id, step="profile", expecting="enrol:profile")
    await database.close()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        before_the_last(connection)
        connection.execute("DROP INDEX ix_sending_safety")  # these two came later
        connection.execute("ALTER TABLE sending DROP COLUMN first_due_at")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
        connection.commit()
    await open_and_close(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT step, expecting FROM patient").fetchall() == [("done", "")]


async def test_rows_without_their_owner_stop_a_migration(tmp_path: Path) -> None:
    file = tmp_path / "quietlegs.db"
    await open_and_close(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        before_the_last(connection)
        connection.execute("INSERT INTO escalation_event VALUES (1, 99, 'raised', '2025-03-01', '')")
        connection.execute("ALTER TABLE sending DROP COLUMN first_due_at")
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
        connection.commit()
    with pytest.raises(StorageError, match="without their owner"):
        await Database(f"sqlite:///{file}").open()
