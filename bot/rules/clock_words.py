"""Reads a time of day or a date that a person typed; what it does not understand is None, never a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Literal

from babel import Locale

from content.schema import ClockVocabulary

Part = Literal["am", "pm", "night"]
HALF_DAY = 12 * 60  # minutes
FURTHEST_DAYS = 3660  # ahead that "in so many days" may reach
LONGEST = 80  # characters; what is longer is no time and no date
NOON = time(12)
FIGURES = re.compile(
    r"(\d{1,2}) ?[:;.,'h]{1,2} ?(\d{2})"
    r"|(\d{1,2}) ?- ?(00|2[5-9]|[3-5]\d)"  # 21-30, but 9-10 may be a span of hours
    r"|(\d{1,2}) (\d{2})"
    r"|(\d{1,2}?)(\d{2})"
)
HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
SHORT_DATE = re.compile(r"(\d{1,2}) ?[-/.] ?(\d{1,2})(?: ?[-/.] ?(\d{4}|\d{2}))?\.?")


def read_time(text: str, vocabulary: ClockVocabulary, near: time | None = None) -> time | None:
    """Return the time of day typed, or None; `near` settles what "half past nine" leaves open.

    Without `near`, a time without "am" or "pm" is read on the clock of 24 hours.
    """
    rest, part = _take_part(_plain(text), vocabulary)
    if part == "unclear":
        return None
    for phrases, hour in ((vocabulary.midnight, "0"), (vocabulary.noon, "12")):
        without = _without(rest, phrases)
        if without != rest:
            rest = _twelve(_without(without, vocabulary.fillers), hour, vocabulary)
            part, near = None, NOON
    rest = _without(rest, [*vocabulary.fillers, *vocabulary.hour_marks]).strip(" ,")
    if FIGURES.fullmatch(short := _without(rest, vocabulary.minute_marks)):
        rest = short
    found = _figures(rest) or _spoken(rest, vocabulary)
    return None if found is None else _settle(*found, part, near)


def read_date(
    text: str, today: date, vocabulary: ClockVocabulary, *, month_first: bool = False
) -> date | None:
    """Return the date typed, counted from `today`, or None; `month_first` reads 02/12 as 12 February."""
    plain = _plain(text)
    numeric = _numeric_date(plain, today, month_first=month_first)
    if numeric is not None or ISO_DATE.fullmatch(plain) or SHORT_DATE.fullmatch(plain):
        return numeric
    words = _without(plain.replace(",", " "), vocabulary.date_fillers)
    if words in vocabulary.days_ahead:
        return today + timedelta(days=vocabulary.days_ahead[words])
    return (
        _ahead(words, today, vocabulary)
        or _weekday(words, today, vocabulary)
        or _day_and_month(words, today, vocabulary)
    )


def is_like_date(text: str, vocabulary: ClockVocabulary) -> bool:
    """Return whether figures, or figures and one name of a month, were meant as a date ("31/02")."""
    plain = _plain(text)
    if ISO_DATE.fullmatch(plain) or SHORT_DATE.fullmatch(plain):
        return True
    words = _without(plain.replace(",", " "), vocabulary.date_fillers)
    tokens = _day_tokens(words, vocabulary)
    names = _names(vocabulary.locale, "month") | vocabulary.months
    figures = [token for token in tokens if token.isdecimal()]
    return bool(figures) and sum(token in names for token in tokens) == 1 == len(tokens) - len(figures)


# --- times ---


def _plain(text: str) -> str:
    """Return the text in small letters, with plain quotes and single spaces."""
    if len(text) > LONGEST:
        return ""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("`", "'")
    return " ".join(text.split()).strip(' !?".')


def _twelve(rest: str, hour: str, vocabulary: ClockVocabulary) -> str:
    """Put noon or midnight behind "half past" or "ten to", or let it stand alone, or leave nothing."""
    if rest in {"", "12"} or vocabulary.numbers.get(rest) == 12:
        return hour
    leads = (*vocabulary.half_past, *vocabulary.half_before, *vocabulary.past, *vocabulary.to)
    return f"{rest} {hour}" if rest.endswith(leads) else ""


def _phrase(phrase: str) -> str:
    """Return a pattern for a phrase as words of their own; figures may touch it ("9pm")."""
    return rf"(?<![^\W\d_]){re.escape(phrase)}(?![^\W_])"


def _without(text: str, phrases: Iterable[str]) -> str:
    for phrase in sorted(phrases, key=len, reverse=True):
        text = re.sub(_phrase(phrase), " ", text)
    return " ".join(text.split())


def _take_part(text: str, vocabulary: ClockVocabulary) -> tuple[str, Part | Literal["unclear"] | None]:
    """Take "am", "in the evening", "at night" out of the text; two that contradict each other are unclear."""
    phrases: list[tuple[str, Part]] = [
        *((phrase, "am") for phrase in vocabulary.am),
        *((phrase, "pm") for phrase in vocabulary.pm),
        *((phrase, "night") for phrase in vocabulary.at_night),
    ]
    parts: set[Part] = set()
    for phrase, part in sorted(phrases, key=lambda pair: len(pair[0]), reverse=True):
        without = re.sub(_phrase(phrase), " ", text)
        if without != text:
            text = without
            parts.add(part)
    parts = parts - {"night"} or parts
    text = " ".join(text.split()).strip(" .,")
    return text, "unclear" if len(parts) > 1 else next(iter(parts), None)


def _figures(text: str) -> tuple[int, int, bool] | None:
    """Read 21:30, 21.30, 22h15, 2130, 9: hour, minute, and whether it is surely on the clock of 24 hours."""
    if re.fullmatch(r"\d{1,2} ?h?", text):
        hour = text.strip("h ")
        return _checked(int(hour), 0, on_24=hour.startswith("0"))
    match = FIGURES.fullmatch(text)
    if match is None:
        return None
    hour, minute = (figures for figures in match.groups() if figures is not None)
    return _checked(int(hour), int(minute), on_24=hour.startswith("0"))


def _checked(hour: int, minute: int, *, on_24: bool = False) -> tuple[int, int, bool] | None:
    if (hour, minute) == (24, 0):
        return 0, 0, True
    return (hour, minute, on_24 or hour > 12 or hour == 0) if hour < 24 and minute < 60 else None


def _spoken(text: str, vocabulary: ClockVocabulary) -> tuple[int, int, bool] | None:
    """Read "half past nine", "ten to eight", "nine thirty"."""
    for phrases, minute in ((vocabulary.half_past, 30), (vocabulary.half_before, -30)):
        for phrase in sorted(phrases, key=len, reverse=True):
            if text.startswith(f"{phrase} "):
                return _around(_number(text.removeprefix(phrase), vocabulary), minute)
    for phrases, sign in ((vocabulary.past, 1), (vocabulary.to, -1)):
        for phrase in phrases:
            minutes, between, hour = text.partition(f" {phrase} ")
            if between:
                found = 15 if minutes in vocabulary.quarter else _number(minutes, vocabulary)
                return None if found is None else _around(_number(hour, vocabulary), sign * found)
    return _hour_then_minutes(text, vocabulary)


def _around(hour: int | None, minutes: int) -> tuple[int, int, bool] | None:
    """Return the time so many minutes after (or before) a spoken hour."""
    if hour is None or hour > 24 or abs(minutes) >= 60:
        return None
    total = (hour * 60 + minutes) % (24 * 60)
    return total // 60, total % 60, hour > 12 or hour == 0


def _hour_then_minutes(text: str, vocabulary: ClockVocabulary) -> tuple[int, int, bool] | None:
    words = HYPHEN.sub(" ", text).split()
    whole = _number(text, vocabulary)
    if whole is not None and whole <= 24 and not text.isdecimal():
        return _checked(whole, 0)
    for at in range(1, len(words)):
        hour, minute = _number(" ".join(words[:at]), vocabulary), _number(" ".join(words[at:]), vocabulary)
        spoken_zero = words[at] in vocabulary.numbers and vocabulary.numbers[words[at]] == 0
        if hour is not None and minute is not None and (minute >= 10 or spoken_zero):
            return _checked(hour, minute)
    return None


def _number(text: str, vocabulary: ClockVocabulary) -> int | None:
    """Return the value of "9", "nine", "twenty five" or "oh five"; None for anything else."""
    words = HYPHEN.sub(" ", text).split()
    if len(words) == 1 and words[0].isdecimal() and len(words[0]) <= 4:
        return int(words[0])
    values = [vocabulary.numbers.get(word) for word in words]
    match values:
        case [int(value)]:
            return value
        case [int(tens), int(ones)] if (tens == 0 or (tens >= 20 and tens % 10 == 0)) and 0 < ones < 10:
            return tens + ones
        case _:
            return None


def _settle(hour: int, minute: int, on_24: bool, part: str | None, near: time | None) -> time | None:
    """Return the time of day in the part of the day that was named, else the one nearest to `near`."""
    total = hour * 60 + minute
    early = total % HALF_DAY
    if hour > 12 or (on_24 and part is None):
        contradicts = (part == "am" and total >= HALF_DAY) or (part == "pm" and total < HALF_DAY)
        return None if contradicts else time(hour, minute)
    if part == "pm" and hour == 0 and on_24:
        return None
    if part == "night":
        part = "am" if early < 6 * 60 else "pm"
    if part is None and near is not None:
        wanted = near.hour * 60 + near.minute
        total = min((total, (total + HALF_DAY) % (2 * HALF_DAY)), key=lambda guess: _apart(guess, wanted))
    elif part is not None:
        total = early + (HALF_DAY if part == "pm" else 0)
    return time(total // 60, total % 60)


def _apart(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, 2 * HALF_DAY - apart)


# --- dates ---


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(month: int, day: int, today: date) -> date | None:
    """Return the next such day, today included; 29 February may be years away."""
    candidates = (_date(today.year + ahead, month, day) for ahead in range(9))
    return next((found for found in candidates if found is not None and found >= today), None)


def _numeric_date(text: str, today: date, *, month_first: bool) -> date | None:
    """Read 2026-12-02 and 02/12; an order that no calendar has is read the other way round."""
    if iso := ISO_DATE.fullmatch(text):
        return _date(*(int(figures) for figures in iso.groups()))
    short = SHORT_DATE.fullmatch(text)
    if short is None:
        return None
    day, month = int(short[1]), int(short[2])
    if month_first:
        day, month = month, day
    if month > 12:
        day, month = month, day
    if short[3] is None:
        return _coming(month, day, today)
    return _date(int(short[3]) + (2000 if len(short[3]) == 2 else 0), month, day)


def _ahead(words: str, today: date, vocabulary: ClockVocabulary) -> date | None:
    """Read "10 days", "a week", "next month"."""
    count, _, unit = words.rpartition(" ")
    amount = 1 if count in vocabulary.next_words or not count else _number(count, vocabulary)
    if amount is None:
        return None
    ahead = vocabulary.day_units.get(unit, 0) * amount
    if 0 < ahead <= FURTHEST_DAYS:
        return today + timedelta(days=ahead)
    if unit in vocabulary.month_units and 0 < amount <= 60:
        month = today.year * 12 + today.month - 1 + amount
        days = range(today.day, max(today.day - 4, 0), -1)  # 31 January and a month is the last of February
        ends = (_date(month // 12, month % 12 + 1, day) for day in days)
        return next((found for found in ends if found is not None), None)
    return None


def _weekday(words: str, today: date, vocabulary: ClockVocabulary) -> date | None:
    """Read "monday" and "next monday": the first after today."""
    weekday = _names(vocabulary.locale, "day") | vocabulary.weekdays
    found = weekday.get(_without(words, vocabulary.next_words).rstrip("."))
    return None if found is None else today + timedelta(days=(found - today.weekday() - 1) % 7 + 1)


def _day_and_month(words: str, today: date, vocabulary: ClockVocabulary) -> date | None:
    """Read "2 december", "dec 2nd", "2 december 2026"; figures and one name of a month, nothing else."""
    names = _names(vocabulary.locale, "month") | vocabulary.months
    tokens = _day_tokens(words, vocabulary)
    months = [names[token] for token in tokens if token in names]
    figures = [token for token in tokens if token.isdecimal()]
    if len(months) != 1 or len(months) + len(figures) != len(tokens):
        return None
    match sorted(figures, key=len):
        case [day] if len(day) <= 2:
            return _coming(months[0], int(day), today)
        case [day, year] if len(day) <= 2 and len(year) == 4:
            return _date(int(year), months[0], int(day))
        case _:
            return None


def _day_tokens(words: str, vocabulary: ClockVocabulary) -> list[str]:
    endings = "|".join(re.escape(ending) for ending in vocabulary.ordinal_endings) or r"\."
    tokens = [re.sub(rf"(\d)(?:{endings}|\.)$", r"\1", token) for token in words.split()]
    return [token.rstrip(".") for token in tokens]


@lru_cache(maxsize=64)
def _names(locale: str, of: Literal["day", "month"]) -> dict[str, int]:
    """Return the names of weekdays (Monday is 0) or months (January is 1), long and short."""
    babel = Locale.parse(locale, sep="-")
    sets = babel.days if of == "day" else babel.months
    found: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in sets[context].get(width, {}).items():
                found[str(name).casefold().rstrip(".")] = int(number)
    return found
