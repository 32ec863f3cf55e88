"""A month in a minute: a scripted patient lives night after night with the bot, by buttons and by typing."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bot.sandbox.messages import Message
from bot.sandbox.people import Person
from bot.sandbox.server import Sandbox

NAMES = ("Ada", "Bela", "Chidi", "Dora", "Emre", "Freya")
PATIENCE = 10.0  # seconds until the bot must have said what the script waits for
SHORT_PATIENCE = 2.0  # where it may rightly say nothing
NOTICE_ONLY = 0.3  # until it is clear that a press was answered with no more than a notice
BREATH = 0.02  # seconds of silence after which the bot has finished speaking
STANDING = 8  # messages at the end of the chat that are still in view
QUESTION = r"ci:\d+:\w+:[+-]"
MANY = 40  # presses after which a conversation that goes round in circles is left

Chosen = dict[str, tuple[str, ...]]
Found = tuple[Message, str]  # a message and the data of one of its buttons


@dataclass(frozen=True)
class Day:
    """One evening and the morning after it, as the patient lives them."""

    evening: str = "all"  # all, some, guided, snoozed, declined, ignored
    pain: int | None = 0  # None: the check-in stays unanswered
    cramp_at_night: bool = False
    typed: str = ""  # in place of the buttons
    says: tuple[str, ...] = ()  # typed in the morning, after the check-in
    chosen: Chosen = field(default_factory=dict)


def _bad(evening: str, pain: int, awake: str, helped: str, **more: object) -> Day:
    chosen = {"feeling": ("cramp",), "side": ("both",), "awake": (awake,), "helped": (helped,)}
    return Day(evening, pain, chosen=chosen, **more)  # type: ignore[arg-type]


# What two weeks are like; later weeks are milder, because she keeps at it.
FORTNIGHT = (
    _bad("guided", 7, "over_60", "stretching"),
    _bad("some", 6, "to_60", "moving", cramp_at_night=True),
    Day("all", says=("/tips pillow",)),
    _bad("snoozed", 5, "under_30", "stretching"),
    Day("ignored", None),
    _bad("guided", 6, "under_30", "stretching", says=("/night",)),
    Day("all", says=("/diary",)),
    Day("some", 4, typed="4/10, both calves, stretching helped"),
    Day("all"),
    Day("declined", 3, chosen={"feeling": ("urge",), "side": ("both",), "helped": ("moving",)}),
    Day("guided"),
    Day("ignored", None, says=("/tips",)),
    _bad("snoozed", 4, "under_30", "warmth_cold", cramp_at_night=True),
    Day("all", says=("/diary",)),
)
LAST = Day(
    "some",
    7,
    chosen={"signs": ("leg_swollen",), "feeling": ("ache",), "side": ("left",), "awake": ("to_60",)},
)
USUAL: Chosen = {
    "signs": ("none",), "feeling": ("cramp",), "side": ("both",), "awake": ("no",), "helped": ("stretching",),
    "longest": ("to_5",), "tired": ("bit",),
}  # fmt: skip


class Lapse:
    """Plays the script on the running bot; `go_to` jumps the bot's clock, `tick` lets it send what is due."""

    def __init__(
        self,
        sandbox: Sandbox,
        go_to: Callable[[str], Awaitable[object]],
        tick: Callable[[], Awaitable[object]],
    ) -> None:
        self._sandbox = sandbox
        self._go_to = go_to
        self._tick = tick
        self.person = self._newcomer()

    @property
    def name(self) -> str:
        """What the patient is called."""
        return str(self.person.user["first_name"])

    async def play(self, nights: int) -> None:
        """Enrol, live so many nights, and end on a morning with a warning sign whose card is left open."""
        await self._enrol()
        for number, day in zip(range(1, nights + 1), _story(), strict=False):
            await self._live(LAST if number == nights else day)

    # --- the patient -----------------------------------------------------------------------------------

    def _newcomer(self) -> Person:
        """Make somebody the bot has never met, also in a chat page that was used before."""
        taken = {person.user.get("first_name") for person in self._sandbox.people}
        numbered = (f"{name} {round_}" for round_ in itertools.count(2) for name in NAMES)
        return self._sandbox.person(
            next(name for name in itertools.chain(NAMES, numbered) if name not in taken)
        )

    async def _enrol(self) -> None:
        await self.person.start()
        await self._press("en:yes:")
        await self._press("en:country:GB")
        await self._offered("en:prompt:")
        await self.person.send("half past nine")
        await self._press("en:checkin:0730")
        await self._press("en:profile:now")
        for _ in range(MANY):
            await self._quiet()
            asked = self._newest(r"pr:\w+:\w+:no$")
            if asked is None:
                return
            await self._press_here(*asked)

    async def _live(self, day: Day) -> None:
        await self._jump("evening")
        await self._evening(day.evening)
        if day.cramp_at_night:
            await self._cramp()
        await self._jump("morning")
        if day.pain is not None:
            await self._answer({**USUAL, **day.chosen, "pain": (f"p{day.pain}",)}, day.typed)
        for words in day.says:
            await self._ask(words)

    # --- moments ---------------------------------------------------------------------------------------

    async def _evening(self, how: str) -> None:
        prompt = await self._offered("ev:", SHORT_PATIENCE)
        if prompt is None:
            await self._what_came_of_it()
            return
        tonight = prompt[1].rsplit(":", 1)[0].removesuffix(":did")
        if how == "declined":
            await self._press(f"{tonight}:not$")
        elif how == "snoozed":
            await self._press(f"{tonight}:later$")
            await self._press(f"{tonight}:snooze:30$")
            await self._jump("hour")
            await self._do_parts(tonight, 3)
        elif how == "guided":
            await self._follow_the_routine(tonight)
            await self._do_parts(tonight, 1)
        elif how != "ignored":
            await self._do_parts(tonight, 1 if how == "some" else 3)

    async def _do_parts(self, tonight: str, most: int) -> None:
        for _ in range(most):
            if (part := self._newest(f"{tonight}:did:")) is not None:
                await self._press_here(*part)

    async def _follow_the_routine(self, tonight: str) -> None:
        await self._press(f"{tonight}:guide$")
        for _ in range(MANY):
            on = await self._offered(r"gd:\d+:(go:\d+|did:yes)$", SHORT_PATIENCE)
            if on is None:
                return
            await self._press_here(*on)
            if ":did:" in on[1]:
                return

    async def _cramp(self) -> None:
        for _ in range(4):
            await self._jump("hour")
        await self._ask("/cramp")
        for button in ("cr:file", r"cr:side:\d+:left$", r"cr:long:\d+:to_5$"):
            await self._press(button)

    async def _answer(self, chosen: Chosen, typed: str = "") -> None:
        """Answer the check-in that has just come, whatever it asks first, until nothing more is asked."""
        asked = await self._offered(QUESTION, SHORT_PATIENCE)
        if asked is None:
            return
        night = asked[1].split(":")[1]
        if typed:
            await self.person.send(typed)
            await self.person.wait(lambda person: bool(person.since()), PATIENCE)
            await self._quiet()
        for _ in range(MANY):
            page = self._newest(QUESTION.replace(r"\d+", night))
            if page is None:
                return
            message, data = page
            stem, question = data.rsplit(":", 2)[:2]
            wanted = [f"{stem}:{question}:+{option}" for option in chosen.get(question, ())]
            ways = [*wanted, f"{stem}:done:{question}", f"{stem}:skip:{question}"]
            await self._press_here(message, next(way for way in ways if message.button(way) is not None))

    async def _ask(self, words: str) -> None:
        """Type something, and look into what it offers."""
        await self.person.send(words)
        await self.person.wait(lambda person: bool(person.since()), PATIENCE)
        await self._quiet()
        if words == "/tips":
            await self._press("tp:fits$")
        if words == "/night" and (night := self._of_last("nt:", "not filled in")) is not None:
            await self._press_here(*night)
            await self._quiet()
            await self._answer({**USUAL, "pain": ("p2",)})

    async def _what_came_of_it(self) -> None:
        """Where the evening asks after an earlier warning instead, answer that she was seen."""
        if (seen := self._newest(r"es:\d+:seen$")) is not None:
            await self._press_here(*seen)

    # --- buttons and time ------------------------------------------------------------------------------

    async def _jump(self, target: str) -> None:
        """Let the bot finish, then move its clock and wait for what has come due."""
        await self._quiet()
        self.person.mark()
        await self._go_to(target)
        await self._tick()
        self._sandbox.world.changes.bump()  # an open page shows the new time

    async def _press(self, button: str) -> None:
        found = await self._until(lambda: self._newest(button), PATIENCE)
        if found is None:
            raise LookupError(f"the bot offers no button {button} after: {self.person.last.text}")
        await self._press_here(*found)

    async def _press_here(self, message: Message, data: str) -> None:
        """Press one button and wait until the bot has answered it and said what it says."""
        query = await self.person.press(message, data)
        await self.person.wait(lambda _: self._sandbox.world.queries[query].answered, PATIENCE)
        with contextlib.suppress(TimeoutError):
            await self.person.wait(lambda person: bool(person.since()), NOTICE_ONLY)
        await self._quiet()

    async def _offered(self, button: str, patience: float = PATIENCE) -> Found | None:
        """Wait for new or changed words with a button whose data matches; None when they do not come."""
        return await self._until(lambda: _find(self.person.since(), button), patience)

    async def _until(self, look: Callable[[], Found | None], patience: float) -> Found | None:
        try:
            return await self.person.wait(lambda _: look(), patience)
        except TimeoutError:
            return None

    def _newest(self, button: str) -> Found | None:
        """Return such a button of what stands at the end of the chat, newest first."""
        return _find(self.person.messages[-STANDING:], button)

    def _of_last(self, button: str, label: str) -> Found | None:
        """Return such a button with these words in its label, of the bot's last message."""
        message = self.person.last
        for shown in _buttons(message):
            if re.match(button, shown["callback_data"]) and label in shown["text"]:
                return message, shown["callback_data"]
        return None

    async def _quiet(self) -> None:
        """Return once the bot has said nothing for a breath."""
        changes, chat = self._sandbox.world.changes, self.person.id
        cursor = changes.latest(chat)
        for _ in range(100):
            await asyncio.sleep(BREATH)
            if changes.latest(chat) == cursor:
                return
            cursor = changes.latest(chat)


def _story() -> Iterator[Day]:
    """Yield day after day without end: every fortnight one step milder than the one before."""
    for fortnight in itertools.count():
        for day in FORTNIGHT:
            milder = day.pain if day.pain is None else max(day.pain - 2 * fortnight, min(day.pain, 1))
            typed = day.typed.replace("4/10", f"{milder}/10")
            yield Day(day.evening, milder, day.cramp_at_night and not fortnight, typed, day.says, day.chosen)


def _buttons(message: Message) -> Iterable[dict[str, str]]:
    return (button for row in message.keyboard for button in row if "callback_data" in button)


def _find(messages: list[Message], button: str) -> Found | None:
    """Return the newest message with a button whose data matches, and that data."""
    for message in reversed(messages):
        for shown in _buttons(message):
            if re.match(button, shown["callback_data"]):
                return message, shown["callback_data"]
    return None
