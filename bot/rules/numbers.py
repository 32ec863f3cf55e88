"""Chooses the emergency, health and crisis numbers a patient is shown, their order and their caution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from content.schema import Country, Line, Numbers

Kind = Literal["emergency", "health", "crisis"]


@dataclass(frozen=True)
class ShownLine:
    """One number to show; `country` is None for the fallback, which belongs to no country.

    `shared` are further countries of the two shown in which the same number answers.
    """

    kind: Kind
    line: Line
    country: str | None
    checked_on: date | None
    old: bool  # checked, but too long ago
    shared: tuple[str, ...] = ()

    @property
    def unconfirmed(self) -> bool:
        """Say whether no person has ever confirmed this number."""
        return self.country is not None and self.checked_on is None


@dataclass(frozen=True)
class NumbersShown:
    """The numbers to show, each list in its order; the first emergency number is the one to call."""

    emergency: tuple[ShownLine, ...]
    health: tuple[ShownLine, ...]
    crisis: tuple[ShownLine, ...]
    with_fallback: bool  # the fallback stands beside a number that is old, unconfirmed or missing
    none_known: bool  # no number of any country stands here, only the fallback
    ask_country: bool  # no country is known, or the zone lies in another


def emergency_lines(
    numbers: Numbers, country: str | None, zone_country: str | None, today: date
) -> NumbersShown:
    """Return the numbers for a patient of `country` whose zone lies in `zone_country`."""
    codes = list(dict.fromkeys(code for code in (country, zone_country) if code))
    listed = [(code, numbers.countries[code]) for code in codes if code in numbers.countries]

    def shown(kind: Kind) -> list[ShownLine]:
        return [line for code, entry in listed for line in _shown(numbers, kind, code, entry, today)]

    emergency = shown("emergency")
    fallback = _fallback(numbers.fallback)
    if country is not None and not listed:
        emergency = [fallback, _fallback(numbers.fallback_further)]
    elif country not in numbers.countries:
        emergency.insert(0, fallback)
    elif any(line.unconfirmed or line.old for line in emergency):
        emergency.append(fallback)
    once = tuple(
        sorted(_once(emergency), key=lambda line: -len(line.shared))
    )  # what works in both goes first
    return NumbersShown(
        emergency=once,
        health=_once(shown("health")),
        crisis=_once(shown("crisis")),
        with_fallback=fallback in once,
        none_known=not listed,
        ask_country=country is None or (zone_country is not None and zone_country != country),
    )


def _fallback(number: str) -> ShownLine:
    return ShownLine("emergency", Line(number=number, certainty="H"), None, None, old=False)


def _shown(numbers: Numbers, kind: Kind, code: str, entry: Country, today: date) -> Iterable[ShownLine]:
    """Yield the lines of one kind; only health and crisis lines hide (too old, or unsure and unconfirmed)."""
    lines: dict[Kind, tuple[Line, ...]] = {
        "emergency": entry.emergency,
        "health": entry.health,
        "crisis": entry.crisis,
    }
    age = None if entry.checked_on is None else (today - entry.checked_on).days
    for line in lines[kind]:
        unsure = age is None and line.certainty == "L"
        too_old = age is not None and age > numbers.hide_after_days
        if kind == "emergency" or not (unsure or too_old):
            old = age is not None and age > numbers.stale_after_days
            yield ShownLine(kind, line, code, entry.checked_on, old)


def _once(lines: Iterable[ShownLine]) -> tuple[ShownLine, ...]:
    """Keep the first line of each number with all its countries, so that 112 does not stand there twice."""
    first: dict[tuple[str, str], ShownLine] = {}
    for shown in lines:
        key = (shown.line.number, shown.line.name)
        known = first.setdefault(key, shown)
        if known.country and shown.country and shown.country not in (known.country, *known.shared):
            first[key] = replace(known, shared=(*known.shared, shown.country))
    return tuple(first.values())
