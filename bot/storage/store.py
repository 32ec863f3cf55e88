"""Every question to the database, each a method with a name, inside one transaction."""

from __future__ import annotations

from bot.storage.escalations import Escalations
from bot.storage.house import House
from bot.storage.nights import Nights
from bot.storage.people import People
from bot.storage.sendings import Sendings
from bot.storage.updates import Updates


class Store(People, Nights, Escalations, Sendings, Updates, House):
    """The questions of one transaction; made by Database, useless when its block has ended."""
