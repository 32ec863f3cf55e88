"""What is said where a press or a command cannot be taken; nothing is changed by it."""

from __future__ import annotations

from bot.messages import Message, Reply
from bot.model import Patient
from content.loader import Content


def old_button(content: Content) -> Reply:
    """Answer a button that means nothing any more, or belongs to somebody else."""
    return Reply(notice=content.words.plain("notice_old_button"), alert=True)


def nobody(content: Content) -> Reply:
    """Answer a button pressed by somebody of whom nothing is kept."""
    return Reply(notice=content.words.plain("notice_nobody"), alert=True)


def not_enrolled(content: Content, patient: Patient | None) -> Reply:
    """Say to somebody who is not enrolled what to do; of whom nothing is kept, that nothing is."""
    known = patient is not None and patient.consent_at is not None
    return Reply(messages=(Message(content.words.say("not_enrolled" if known else "nobody")),))
