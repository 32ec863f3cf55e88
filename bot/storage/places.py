"""Where the database is: the operator's URL, read once and made ready."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.storage.errors import StorageError

SQLITE, POSTGRES = "sqlite", "postgresql"
HINT = "use sqlite:///data/quietlegs.db or postgresql://user:password@host/name"


@dataclass(frozen=True)
class Place:
    """A database's URL with the driver we use, and its file if it has one."""

    url: URL
    file: Path | None


def place_of(url: str) -> Place:
    """Read a database URL; StorageError says what to write instead."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise StorageError(f"DATABASE_URL cannot be read: {HINT}") from None
    name = found.drivername.partition("+")[0]
    if name == SQLITE:
        if not found.database or found.database == ":memory:":
            raise StorageError(f"DATABASE_URL names no file: {HINT}")
        return Place(found.set(drivername="sqlite"), Path(found.database).absolute())
    if name in (POSTGRES, "postgres"):
        if importlib.util.find_spec("psycopg") is None:
            raise StorageError(
                "DATABASE_URL: PostgreSQL needs its driver, which the image has; without a container: "
                ".venv/bin/python -m pip install --require-hashes --requirement requirements/image.txt"
            )
        return Place(found.set(drivername="postgresql+psycopg"), None)
    raise StorageError(f"DATABASE_URL names a database we do not know: {HINT}")


def make_room(file: Path) -> None:
    """Make the file and its folder, for our eyes only; StorageError if it cannot be written."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        reason = error.strerror
        raise StorageError(f"DATABASE_URL: {file} cannot be written ({reason}): check its folder") from None
    if not os.access(file.parent, os.W_OK):
        raise StorageError(f"DATABASE_URL: {file.parent} cannot be written: SQLite needs more files there")
