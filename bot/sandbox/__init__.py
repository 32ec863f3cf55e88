"""A stand-in for Telegram on this machine, to try the bot with and to test it against."""

from bot.sandbox.clock import TARGETS, Clock
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.files import Upload
from bot.sandbox.groups import Group
from bot.sandbox.messages import Message, Toast
from bot.sandbox.people import Person
from bot.sandbox.server import Sandbox, serve

__all__ = [
    "TARGETS",
    "Clock",
    "Fault",
    "Faults",
    "Group",
    "Message",
    "Person",
    "Sandbox",
    "Toast",
    "Upload",
    "serve",
]
