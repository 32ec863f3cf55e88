"""Speaks the numbers to call: each on its own line, each with a button that can be called."""

from __future__ import annotations

from datetime import date

from bot.messages import Button, Contact, Reply, Style
from bot.model import Patient
from bot.rules.numbers import NumbersShown, ShownLine, emergency_lines
from bot.rules.places import country_name, country_of_zone
from content.loader import Content
from content.words import Html

CONTACT = "no"  # prefix of the buttons that send a number as a contact


def shown_for(content: Content, patient: Patient | None, today: date) -> NumbersShown:
    """Return the numbers a person is shown; the zone's country's too while no country answers for it."""
    country = patient.country if patient else None
    in_doubt = patient is not None and (patient.country is None or patient.zone_country_asked)
    zone_country = country_of_zone(patient.zone) if patient and patient.zone and in_doubt else None
    return emergency_lines(content.numbers, country, zone_country, today)


def emergency_block(content: Content, patient: Patient | None, today: date) -> Html:
    """Return the emergency numbers, one a line, with the check date where it is old or missing.

    Where no country's numbers are known, a local number and a person near by are named as well.
    """
    shown = shown_for(content, patient, today)
    block = _block(content, shown.emergency, shown)
    if not shown.none_known:
        return block
    words = content.words
    near = words.say("number_ask_near") if patient and patient.country else Html("")
    return Html("\n".join(part for part in (block, words.say("number_local"), near) if part))


def health_block(content: Content, patient: Patient | None, today: date) -> Html:
    """Return the health line's numbers, or the sentence that stands in where none is known."""
    shown = shown_for(content, patient, today)
    return _block(content, shown.health, shown) if shown.health else content.words.say("no_health_line")


def crisis_block(content: Content, patient: Patient | None, today: date) -> Html:
    """Return the crisis lines, or the sentence that stands in where none is known."""
    shown = shown_for(content, patient, today)
    return _block(content, shown.crisis, shown) if shown.crisis else content.words.say("no_crisis_line")


def call_button(content: Content, patient: Patient | None, today: date) -> Button:
    """Return the button that sends the first emergency number as a contact."""
    number = shown_for(content, patient, today).emergency[0].line.number
    return Button(
        content.words.plain("button_call", number=number), f"{CONTACT}:{number.replace(' ', '')}", Style.GRAVE
    )


def contact(content: Content, number: str) -> Reply:
    """Send a number as a contact that can be called with one tap."""
    return Reply(messages=(Contact(content.words.plain("contact_name"), number),))


def _block(content: Content, lines: tuple[ShownLine, ...], shown: NumbersShown) -> Html:
    """One number a line; that nobody has confirmed them is said once, below them."""
    several = len({code for line in lines for code in (line.country, *line.shared) if code}) > 1
    texts = [_line(content, line, several) for line in lines]
    unconfirmed = sum(line.unconfirmed for line in lines)
    if unconfirmed:
        texts.append(content.words.say("number_unconfirmed", n=unconfirmed))
    return Html("\n".join(texts))


def _line(content: Content, shown: ShownLine, several_countries: bool) -> Html:
    words, line = content.words, shown.line
    if shown.country is None:
        return words.say("number_fallback", number=line.number)
    where = [country_name(code, content.language) for code in (shown.country, *shown.shared)]
    name = line.name or (words.list(where) if several_countries else "")
    parts = [words.say("number_named" if name else "number_alone", number=line.number, name=name)]
    if line.note:
        parts.append(words.say(line.note))
    if shown.old and shown.checked_on:
        parts.append(words.say("number_stale", date=words.date(shown.checked_on)))
    return Html(" ".join(parts))
