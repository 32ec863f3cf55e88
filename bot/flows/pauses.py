"""The breaks a patient can take, as buttons: in the settings, and beside good news."""

from __future__ import annotations

from datetime import date, timedelta

from bot.messages import Button, Rows
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
