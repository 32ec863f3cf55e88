"""How our values become columns and come back unchanged, on every database alike."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Date, DateTime, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

WordT = TypeVar("WordT", bound=enum.StrEnum)
NumberT = TypeVar("NumberT", bound=enum.IntEnum)

Convert = Callable[[Any], Any]
# SQLite counts ids up by itself only in a column that is INTEGER to the letter.
Id = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored as UTC and returned as aware UTC; a naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; SQLite would drop any other zone without a word."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WallTime(TypeDecorator[time]):
    """A time of day, stored as HH:MM; seconds raise ValueError."""

    impl = String(5)
    cache_ok = True

    def process_bind_param(self, value: time | None, dialect: Dialect) -> str | None:
        """Return HH:MM."""
        if value is None:
            return None
        if value.second or value.microsecond or value.tzinfo:
            raise ValueError("a wall time is hours and minutes")
        return f"{value:%H:%M}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> time | None:
        """Return the time of day."""
        return None if value is None else time.fromisoformat(value)


class Codes(TypeDecorator[tuple[str, ...]]):
    """Codes in their order, stored joined by commas; a code with a comma raises ValueError."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """Return the codes joined by commas."""
        return _joined(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """Return the codes in their order."""
        return tuple(value.split(",")) if value else ()


class CodeSet(TypeDecorator[frozenset[str]]):
    """Codes without an order, stored sorted and joined by commas; a code with a comma raises ValueError."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str:
        """Return the codes sorted and joined by commas."""
        return _joined(tuple(sorted(value or ())))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str]:
        """Return the codes."""
        return frozenset(value.split(",")) if value else frozenset()


class Flat(TypeDecorator[Mapping[str, Any]]):
    """A small mapping, stored as compact JSON with sorted keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str:
        """Return the mapping as JSON."""
        return json.dumps(dict(value or {}), sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any]:
        """Return the mapping."""
        return dict(json.loads(value)) if value and value != "{}" else {}


class Side(TypeDecorator[str]):
    """A side inside a unique key, where NULL would equal nothing: no side is stored as an empty text."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        """Return the side, or an empty text."""
        return value or ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the side, or None."""
        return value or None


class Word(TypeDecorator[WordT], Generic[WordT]):
    """A member of a StrEnum, stored as its word."""

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[WordT]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: WordT | None, dialect: Dialect) -> str | None:
        """Return the word; one that is no member raises ValueError."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordT | None:
        """Return the member."""
        return None if value is None else self.words(value)


class Number(TypeDecorator[NumberT], Generic[NumberT]):
    """A member of an IntEnum, stored as its number."""

    impl = Integer
    cache_ok = True

    def __init__(self, numbers: type[NumberT]) -> None:
        super().__init__()
        self.numbers = numbers

    def process_bind_param(self, value: NumberT | None, dialect: Dialect) -> int | None:
        """Return the number; one that is no member raises ValueError."""
        return None if value is None else int(self.numbers(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> NumberT | None:
        """Return the member."""
        return None if value is None else self.numbers(value)


def to_file(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what a value of a column needs before SQLite's own driver takes it; None for nothing.

    Days and moments are written as SQLAlchemy writes them, in a tenth of the time.
    """
    if isinstance(kind, UtcDateTime):
        return _moment_to_file
    if isinstance(kind, Date):
        return _day_to_file
    ours = kind.dialect_impl(dialect)
    if isinstance(ours, TypeDecorator) and ours.impl_instance.bind_processor(dialect) is None:
        bind = ours.process_bind_param
        return _kept(kind, lambda value: bind(value, dialect))
    return ours.bind_processor(dialect)


def from_file(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what a value that SQLite's own driver read needs to be a column's; None for nothing."""
    if isinstance(kind, UtcDateTime):
        return _moment_from_file
    if isinstance(kind, Date):
        return _day_from_file
    ours = kind.dialect_impl(dialect)
    if isinstance(ours, TypeDecorator) and ours.impl_instance.result_processor(dialect, None) is None:
        result = ours.process_result_value
        return _kept(kind, lambda value: result(value, dialect))
    return ours.result_processor(dialect, None)


def _kept(kind: TypeEngine[Any], convert: Convert) -> Convert:
    """Keep what comes again and again: of words, times and codes there are few, and none changes."""
    return (
        lru_cache(512)(convert) if isinstance(kind, WallTime | Codes | CodeSet | Word | Number) else convert
    )


@lru_cache(1024)
def _moment_to_file(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a zone cannot be stored")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment_from_file(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _day_to_file(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _day_from_file(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _joined(codes: tuple[str, ...]) -> str:
    if any("," in code or not code for code in codes):
        raise ValueError("a code is not empty and has no comma")
    return ",".join(codes)
