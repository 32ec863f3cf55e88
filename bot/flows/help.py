"""What the bot can do and what it is not; what is said to a command typed as a word."""

from __future__ import annotations

from bot.flows import numbers
from bot.flows.plain_words import folded, listed
from bot.flows.services import Services
from bot.messages import Message, Reply
from content.loader import Content
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


def command_meant(content: Content, text: str) -> Message | None:
    """Point to the command that a word or two stand for; None for all else."""
    words, said = content.words, folded(text)
    for name in COMMANDS:
        if said == name or said in listed(content, f"said_{name}"):
            return Message(words.say("command_meant", command=name, text=words.say(f"command_{name}")))
    return None
