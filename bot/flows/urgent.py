"""The numbers to call, and all red flags in plain words, each of which can be tapped."""

from __future__ import annotations

from datetime import date

from bot.flows import numbers
from bot.flows.asking import put_question
from bot.flows.cards import card_text
from bot.flows.refusals import old_button
from bot.flows.schedule import told_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply
from bot.model import Patient
from content.loader import Content
from content.schema import Level
from content.words import Html

GRAVE = (Level.EMERGENCY, Level.URGENT)
OPEN = "open"
NEW_LIST = f"ur:{OPEN}"  # a button that leaves its message as it is


def rows_of_level(content: Content, level: Level) -> list[str]:
    """Return the rows of one level, the common ones first; what the content puts nowhere comes last."""
    listed = [rule for rule in content.words.plain("urgent_order").split() if rule in content.red_flags]
    rules = dict.fromkeys((*listed, *content.red_flags))
    return [rule for rule in rules if content.red_flags[rule].level is level]


def areas_of(content: Content) -> dict[str, list[str]]:
    """Return the grave rows by area of the body, gravest row first, areas in the order of their rows."""
    found: dict[str, list[str]] = {}
    for level in GRAVE:
        for rule in rows_of_level(content, level):
            found.setdefault(content.red_flags[rule].area, []).append(rule)
    return found


def areas(content: Content, patient: Patient | None, today: date) -> Message:
    """Return the list of areas with the emergency number above it."""
    words = content.words
    rows = [(Button(words.plain(f"area_{area}"), f"ur:{area}"),) for area in areas_of(content)]
    text = words.say("urgent_areas", emergency=numbers.emergency_block(content, patient, today))
    return Message(text, ((numbers.call_button(content, patient, today),), *rows))


async def overview(services: Services, chat_id: int) -> Reply:
    """Answer /urgent: the numbers first, then every sign that must not wait, then the list to tap."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    content = services.content_of(patient)
    today = services.clock().date()
    to_call = content.words.say(
        "urgent_numbers",
        emergency=numbers.emergency_block(content, patient, today),
        health=numbers.health_block(content, patient, today),
        crisis=numbers.crisis_block(content, patient, today),
    )
    call = (numbers.call_button(content, patient, today),)
    lists = [Message(_level_text(content, level)) for level in GRAVE]
    return Reply(messages=(Message(to_call, (call,)), *lists, areas(content, patient, today)))


def _level_text(content: Content, level: Level) -> Html:
    rows = rows_of_level(content, level)
    lines = "\n".join(f"• {content.red_flag_words[rule].line}" for rule in rows)
    return Html(f"{content.words.say(f'urgent_list_{level.code}')}\n\n{lines}")


async def area(services: Services, chat_id: int, name: str) -> Reply:
    """Show the rows of one area, each a button that puts its exact question."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    content = services.content_of(patient)
    today = services.clock().date()
    if name == OPEN:
        return Reply(messages=(areas(content, patient, today),))
    rules = areas_of(content).get(name)
    if rules is None:
        return Reply(edit=areas(content, patient, today))
    rows = [(Button(content.red_flag_words[rule].label, f"ur:{name}:{rule}"),) for rule in rules]
    back = (Button(content.words.plain("button_back"), "ur:"),)
    call = (numbers.call_button(content, patient, today),)
    lines = "\n".join(f"• {content.red_flag_words[rule].line}" for rule in rules)
    text = content.words.say("urgent_area", area=content.words.say(f"area_{name}"), lines=Html(lines))
    return Reply(edit=Message(text, (call, *rows, back)))


async def row(services: Services, chat_id: int, rule: str, origin: str) -> Reply:
    """Put the exact question of one row; somebody of whom nothing is kept gets its card at once."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if rule not in content.red_flags:
            return old_button(content)
        now = services.clock()
        if patient is None or patient.consent_at is None:
            return Reply(messages=(stateless_card(content, rule, now.date()),))
        night = told_night(patient, now)
        await put_question(services, store, patient, night, f"urgent:{rule}", (rule,), False, origin)
        return Reply()


def stateless_card(
    content: Content, rule: str, today: date, about_other: bool = False, leg: str = ""
) -> Message:
    """Return a red flag's card for somebody of whom nothing is kept."""
    text = card_text(content, None, rule, content.red_flags[rule].level, today, about_other, leg)
    return Message(text, ((numbers.call_button(content, None, today),),), sounds=True)
