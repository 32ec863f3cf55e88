"""What is said where a press or a command cannot be taken; nothing is changed by it."""

from __future__ import annotations

from bot.messages import Message, Reply
from content.loader import Content


def old_button(content: Content) -> Reply:
    """Answer a button that means nothing any more, or belongs to somebody else."""
    return Reply(notice=content.words.plain("notice_old_button"), alert=True)


def nobody(content: Content) -> Reply:
    """Answer a button pressed by somebody of whom nothing is kept."""
    return Reply(notice=content.words.plain("notice_nobody"), alert=True)


def not_enrolled(content: Content) -> Reply:
    """Answer a command that only an enrolled patient can use."""
    return Reply(messages=(Message(content.words.say("not_enrolled")),))
