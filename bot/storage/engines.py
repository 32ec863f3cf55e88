"""Engines set up so that nothing is lost: not an update, not a zone, not a commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.storage.kept import is_there
from bot.storage.places import Place

READERS = 4
SQLITE_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",  # what is erased leaves no trace in free pages
    "trusted_schema=OFF",
)
POSTGRES_LIMITS = (
    "statement_timeout = '15s'",
    "lock_timeout = '10s'",
    "idle_in_transaction_session_timeout = '30s'",
)
# Seconds after which a server that has gone without a word is noticed.
KEEP_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}


def sqlite_engine(place: Place, begin: str, *pragmas: str, pool_size: int = 1) -> Engine:
    """Make an engine whose transactions start with *begin*.

    It works in the thread that calls it: a small statement takes a tenth of the trip to another thread.
    """
    # No answer of anybody may get into an error's text; a pool that made one wait would stop all.
    engine = create_engine(
        place.url, pool_size=pool_size, max_overflow=-1, pool_reset_on_return=None, hide_parameters=True
    )

    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late and loses updates
        cursor = connection.cursor()
        for pragma in (*SQLITE_PRAGMAS, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def start(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute(begin)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", start)
    return engine


def sqlite_writer(place: Place) -> Engine:
    """Make the engine of the one writer, who waits for other programs without holding up our own."""
    return sqlite_engine(place, "BEGIN IMMEDIATE", "foreign_keys=ON", "busy_timeout=0")


def sqlite_reader(place: Place) -> Engine:
    """Make the engine of the readers, which cannot write."""
    return sqlite_engine(place, "BEGIN", "foreign_keys=ON", "query_only=ON", pool_size=READERS)


def sqlite_migrator(place: Place) -> Engine:
    """Make the engine of the migrations; with foreign keys on, rebuilding a table deletes its children."""
    return sqlite_engine(place, "BEGIN IMMEDIATE", "foreign_keys=OFF", "busy_timeout=60000")


def postgres_engine(place: Place) -> AsyncEngine:
    """Make the engine of a replica; a statement or a forgotten transaction ends after its time."""
    engine = create_async_engine(
        place.url,
        pool_size=10,
        max_overflow=10,
        hide_parameters=True,
        # A pooler between us would lose prepared statements.
        connect_args={"prepare_threshold": None, **KEEP_ALIVE},
    )

    def set_up(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for limit in POSTGRES_LIMITS:
            cursor.execute(f"SET {limit}")
        cursor.close()
        connection.commit()

    event.listen(engine.sync_engine, "connect", set_up)
    event.listen(engine.sync_engine, "checkout", _check_it_is_there)
    return engine


def _check_it_is_there(connection: Any, _record: object, _proxy: object) -> None:
    if not is_there(connection.driver_connection):
        raise DisconnectionError("the server closed a connection")


def postgres_migrator(place: Place) -> Engine:
    """Make the engine of the migrations, which may take their time."""
    return create_engine(place.url, poolclass=NullPool, hide_parameters=True)
