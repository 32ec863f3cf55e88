"""Fewer messages, as buttons: a break of some days, or a check-in less often."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.messages import Button, Rows
from bot.model import Patient
from content.loader import Content


def pause_choices(content: Content, today: date) -> Rows:
    """Return breaks of some days, each a button."""
    return tuple(
        (
            Button(
                content.words.plain("pause_days", n=days),
                f"se:pause:{(today + timedelta(days=days)).isoformat()}",
            ),
        )
        for days in content.timing.pause_choices_days
    )


def how_often(content: Content, days: int) -> str:
    """Return in words that a check-in comes every so many days."""
    return content.words.plain("every_days", n=days)


def every_choices(content: Content) -> Rows:
    """Return how often a check-in can come, each a button."""
    return tuple(
        (Button(content.words.plain("button_every", n=days), f"se:every:{days}"),)
        for days in content.timing.checkin_every_choices_days
    )


def fewer_messages(content: Content, patient: Patient, now: datetime) -> Rows:
    """Return a way to a check-in less often, where it is not at its rarest, and to a break."""
    rarest = content.timing.checkin_every_choices_days[-1]
    less_often = Button(content.words.plain("set_every"), "se:page:every")
    breaks = pause_choices(content, patient.day_of(now))
    return breaks if patient.checkin_every >= rarest else ((less_often,), *breaks)
