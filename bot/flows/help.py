"""What the bot can do and what it is not."""

from __future__ import annotations

from bot.flows import numbers
from bot.flows.services import Services
from bot.messages import Message, Reply
from content.words import Html

COMMANDS = (
    "cramp",
    "urgent",
    "tips",
    "stretch",
    "night",
    "diary",
    "next",
    "causes",
    "settings",
    "profile",
    "why",
    "appointment",
    "privacy",
    "stop",
    "erase",
    "help",
)


async def show(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /help: every command in a line, and where to turn in an emergency."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    content = services.content_of(patient, language)
    words = content.words
    lines = "\n".join(
        words.say("help_line", command=name, text=words.say(f"command_{name}")) for name in COMMANDS
    )
    emergency = numbers.emergency_block(content, patient, services.clock().date())
    return Reply(messages=(Message(words.say("help", lines=Html(lines), emergency=emergency)),))
