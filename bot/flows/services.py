"""What every flow is handed: database, content, clock and the operator's choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.model import Patient, Times
from bot.storage.database import Database
from content.loader import Content

FIRST_LANGUAGE = "en"


@dataclass(frozen=True)
class Services:
    """What a flow works with; `clock` returns the patients' moment (aware UTC), `wake` stirs the tick."""

    database: Database
    contents: Mapping[str, Content]
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    open_access: bool = False
    default_country: str | None = None
    default_zone: str | None = None
    bot_link: str = ""

    def content(self, language: str | None) -> Content:
        """Return the content of a language tag ("en-GB" is "en"), or the first language's."""
        tag = (language or FIRST_LANGUAGE).lower().split("-")[0]
        return self.contents.get(tag, self.contents[FIRST_LANGUAGE])

    def content_for(self, patient: Patient) -> Content:
        """Return the content in a patient's language, times and dates as their country writes them."""
        return self.content(patient.language).in_region(patient.country)

    def content_of(self, patient: Patient | None, language: str | None = None) -> Content:
        """Return a patient's content; for nobody known, that of the language their phone speaks."""
        return self.content_for(patient) if patient else self.content(language)

    def usual_times(self) -> Times:
        """Return the times a new patient starts with."""
        timing = self.contents[FIRST_LANGUAGE].timing
        return Times(timing.prompt_at, timing.checkin_at, timing.quiet_from, timing.quiet_until)
