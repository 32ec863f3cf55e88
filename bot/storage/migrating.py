"""Brings a database to the shape this program needs, or refuses it in one line; never loses a row."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from bot.storage.engines import postgres_migrator, sqlite_migrator
from bot.storage.errors import StorageError
from bot.storage.places import Place

log = logging.getLogger(__name__)

SCRIPTS = Path(__file__).with_name("migrations")
VERSION_TABLE = "alembic_version"
POSTGRES_LOCK = 7_174_651  # any number, the same in every replica
SMALL = 64 * 2**20  # bytes: half a second; a start must not take longer with each year
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.05


async def migrate(place: Place, whole: bool = False) -> None:
    """Migrate a database to the newest shape, alone among all processes; StorageError if it is not ours.

    A file of up to SMALL bytes is looked over for damage at each start, a larger one only with *whole*.
    """
    await asyncio.to_thread(_migrate, place, whole)


def _migrate(place: Place, whole: bool) -> None:
    engine = sqlite_migrator(place) if place.file else postgres_migrator(place)
    try:
        if place.file:
            _migrate_sqlite(engine, place.file, whole)
        else:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
                upgrade(connection)
    finally:
        engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision inside the connection's transaction."""
    if _revision(connection) == _newest():
        return
    command.upgrade(config(connection), revision)


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for our scripts."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _migrate_sqlite(engine: Engine, file: Path, whole: bool) -> None:
    _wake(engine)
    with engine.begin() as connection:
        if whole or file.stat().st_size <= SMALL:
            _check_health(connection)
        standing = _revision(connection)
    if standing == _newest():
        return
    if standing is not None:
        _back_up(engine, file, str(standing))
    with engine.begin() as connection:
        upgrade(connection)
        _check_references(connection)


def _wake(engine: Engine) -> None:
    """Connect once; while another process turns WAL on, SQLite says "locked" without waiting."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with engine.begin():
                return
        except DBAPIError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def _revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None for an empty one; StorageError for any other."""
    standing = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if standing is not None and standing not in known:
        raise StorageError(f"the database is newer ({standing}) than this program: install the newer version")
    others = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    if standing is None and others:
        raise StorageError("the database holds tables of another program: give Quietlegs one of its own")
    return standing


def _newest() -> str:
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def _check_health(connection: Connection) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StorageError("the database file is damaged: put a backup in its place")


def _check_references(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise StorageError("a migration would leave rows without their owner: nothing was changed")


def _back_up(engine: Engine, file: Path, standing: str) -> None:
    """Copy the database beside itself before its shape changes."""
    copy = file.with_name(f"{file.name}.before-{_newest()}-was-{standing}")
    part = copy.with_name(f"{copy.name}.part-{os.getpid()}")
    part.unlink(missing_ok=True)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("VACUUM INTO ?", (str(part),))  # refused inside a transaction
    part.chmod(0o600)
    _to_disk(part)
    part.rename(copy)
    _to_disk(copy.parent)
    log.info("database.backed_up before=%s", _newest())


def _to_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
