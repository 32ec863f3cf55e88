"""Speaks one language: fills a message's gaps, picks plurals, formats times, dates and lists."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from string import Formatter
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list


class Html(str):
    """Text that is already safe markup and must not be escaped again."""

    __slots__ = ()


class Words:
    """The messages of one language, by key; a table of CLDR plural categories is chosen by `n`."""

    def __init__(self, locale: Locale, messages: Mapping[str, Any]) -> None:
        self.locale = locale
        self.messages = messages

    def say(self, key: str, **values: object) -> Html:
        """Return one message with its gaps filled and every value escaped; KeyError for an unknown key."""
        return Html(self._form(key, values).format(**{name: _safe(value) for name, value in values.items()}))

    def plain(self, key: str, **values: object) -> str:
        """Return a message for a place without markup (a button, a notice): gaps filled, nothing escaped."""
        return self._form(key, values).format(**values)

    def _form(self, key: str, values: Mapping[str, object]) -> str:
        """Return the form for this number: the category of `n` where a message has several."""
        entry = self.messages[key]
        if isinstance(entry, Mapping):
            count = values["n"]
            category = self.locale.plural_form(count) if isinstance(count, (int, float)) else "other"
            return str(entry.get(category, entry["other"]))
        return str(entry)

    def gaps(self, key: str) -> set[str]:
        """Return the names of a message's gaps."""
        entry = self.messages[key]
        forms = entry.values() if isinstance(entry, Mapping) else (entry,)
        return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}

    def time(self, moment: time | datetime) -> str:
        """Write a clock time as people of this language read it (09:30 or 9:30 PM by locale)."""
        return _spaced(format_time(moment, "short", locale=self.locale))

    def day(self, day: date) -> str:
        """Write a date with its weekday, without the year."""
        return _day(self.locale, day)

    def date(self, day: date) -> str:
        """Write a date in full."""
        return format_date(day, "long", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Write a date and time; the moment must already be in the reader's zone."""
        return f"{self.day(moment.date())}, {self.time(moment)}"

    def list(self, items: Iterable[str], style: str = "standard") -> str:
        """Join items as a sentence would ("a, b and c")."""
        return format_list([*items], style=style, locale=self.locale)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)  # a search through the locale's patterns, and every patient is told of the same days
def _day(locale: Locale, day: date) -> str:
    return str(format_skeleton("EEEMMMd", day, locale=locale))


def _spaced(text: str) -> str:
    """Narrow spaces are boxes in some chat fonts."""
    return text.replace("\u202f", " ")


def _safe(value: object) -> object:
    if isinstance(value, Html):
        return value
    return html.escape(value, quote=False) if isinstance(value, str) else value
