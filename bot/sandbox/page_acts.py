"""What a person can do from the chat page, by the word in its address."""

from collections.abc import Awaitable, Callable

from bot.sandbox.people import Person
from bot.sandbox.refusals import Json

ACTS: dict[str, Callable[[Person, Json], Awaitable[object]]] = {
    "send": lambda person, asked: person.send(**asked),
    "start": lambda person, asked: person.start(**asked),
    "edit": lambda person, asked: person.edit(**asked),
    "press": lambda person, asked: person.press(**asked),
    "tap": lambda person, asked: person.tap(**asked),
    "location": lambda person, asked: person.share_location(**asked),
    "contact": lambda person, asked: person.share_contact(**asked),
    "photo": lambda person, asked: person.send_photo(**asked),
    "voice": lambda person, asked: person.send_voice(**asked),
    "sticker": lambda person, asked: person.send_sticker(**asked),
    "document": lambda person, asked: person.send_document(**asked),
    "video": lambda person, asked: person.send_video(**asked),
    "block": lambda person, _asked: person.block(),
    "unblock": lambda person, _asked: person.unblock(),
    "clear": lambda person, _asked: person.clear(),
    "delete": lambda person, asked: person.delete(**asked),
    "add_bot": lambda person, asked: person.add_bot(**asked),
    "remove_bot": lambda person, asked: person.remove_bot(**asked),
}
