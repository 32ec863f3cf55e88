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
        """Return whether no person has ever confirmed this number."""
        return self.country is not None and self.checked_on is None


@dataclass(frozen=True)
class NumbersShown:
    """The numbers to show, each list in its order; the first emergency number is the one to call."""

    emergency: tuple[ShownLine, ...]
    health: tuple[ShownLine, ...]
    crisis: tuple[ShownLine, ...]
    none_known: bool  # no number of any country stands here, only the fallback


def emergency_lines(
    numbers: Numbers, country: str | None, zone_country: str | None, today: date
) -> NumbersShown:
    """Return the numbers for a patient of `country` whose zone lies in `zone_country`.

    The fallback follows an old or unconfirmed emergency number; without a known country's it comes first.
    """
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
    in_both_first = sorted(_once(emergency), key=lambda line: -len(line.shared))
    return NumbersShown(
        tuple(in_both_first), _once(shown("health")), _once(shown("crisis")), none_known=not listed
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
