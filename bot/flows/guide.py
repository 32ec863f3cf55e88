"""The guided stretch routine: one message whose picture and words move on step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.flows.escalation import rules_out_tips
from bot.flows.facts import circumstances
from bot.flows.schedule import current_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.rules.tips import withheld_techniques
from content.loader import Content
from content.words import Html


@dataclass(frozen=True)
class Routine:
    """The steps that are right for one person tonight; none when everything is withheld."""

    content: Content
    night: date
    steps: tuple[str, ...]

    def opening(self) -> Reply:
        """Return the first step, or why there is none."""
        if not self.steps:
            return Reply(messages=(self.withheld(),))
        return Reply(messages=(self.page(0),))

    def withheld(self) -> Message:
        """Return what is said when nothing of it is right for this person now."""
        return Message(self.content.words.say("routine_withheld"))

    def seconds(self, at: int) -> int:
        """Return how long a step stays before the next."""
        return self.content.routine[self.steps[at]].seconds

    def page(self, at: int) -> Message:
        """Return one step: its picture, its words, and the buttons to go on or stop."""
        words = self.content.words
        name = self.steps[at]
        last = at == len(self.steps) - 1
        foot = (
            words.say("routine_ask")
            if last
            else words.say("routine_foot", at=at + 1, of=len(self.steps), seconds=self.seconds(at))
        )
        text = Html(f"{self.content.routine_words[name]}\n\n{foot}")
        return Message(
            text, self._rows(at, last), figure=self.content.routine[name].figure or self.first_figure()
        )

    def stopped(self) -> Message:
        """Return what the message reads after Stop, or once nothing of it is right any more."""
        if not self.steps:
            return self.withheld()
        return Message(self.content.words.say("routine_stopped"), figure=self.first_figure())

    def _rows(self, at: int, last: bool) -> Rows:
        words, key = self.content.words, self.night.strftime("%y%m%d")
        if not last:
            on = Button(words.plain("button_next"), f"gd:{key}:go:{at + 1}", Style.MAIN)
            return ((on, Button(words.plain("button_stop_guide"), f"gd:{key}:stop")),)
        yes = Button(words.plain("button_routine_yes"), f"gd:{key}:did:yes", Style.GOOD)
        partly = Button(words.plain("button_routine_partly"), f"gd:{key}:did:partly")
        return ((yes,), (partly, Button(words.plain("button_routine_no"), f"gd:{key}:did:no")))

    def first_figure(self) -> str:
        """Return the figure for words without one: a message that began with a picture keeps one."""
        figures = (self.content.routine[name].figure for name in self.steps)
        return next((figure for figure in figures if figure), "")


async def routine(services: Services, chat_id: int, night: date | None = None) -> Routine:
    """Return the routine that is right for one person now, to be recorded for a night.

    Unknown profile or poor balance means the seated version. What is known now decides, for old nights too;
    what rules out all tips rules out the routine.
    """
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return Routine(content, night or services.clock().date(), _steps(content, True, frozenset()))
        tonight = current_night(patient, services.clock())
        at = await circumstances(store, patient, content, tonight)
        rests = await rules_out_tips(store, patient, content, services.clock()) is not None
    if rests:
        return Routine(content, night or tonight, ())
    withheld = withheld_techniques(content, at)
    seated = bool({"stretch", "floor_exercise"} & withheld) or not at.flags
    return Routine(content, night or tonight, _steps(content, seated, withheld))


def _steps(content: Content, seated: bool, withheld: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, step in content.routine.items()
        if step.seated == seated and not withheld & set(step.techniques)
    )
