"""Enrolment: what the bot is, consent, country, zone, two times, an optional safety profile."""

from __future__ import annotations

from datetime import datetime, time

from bot.flows import access, numbers, profile
from bot.flows.schedule import plan_all
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.model import Patient
from bot.rules import places
from bot.rules.clock_words import read_time
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

CONSENT_VERSION = "2026-11"
STEPS = ("country", "zone", "prompt", "checkin", "profile", "done")
MANY_ZONES = 12  # at most so many buttons of places


# --- beginning -----------------------------------------------------------------------------------------


async def start(services: Services, chat_id: int, language: str | None, payload: str) -> Reply:
    """Answer /start: the introduction for someone new, the way on for someone half-way, welcome back for the rest."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return await _introduce(services, store, services.content(language), payload)
        now = services.clock()
        content = services.content_for(patient)
        if patient.blocked_at or patient.stopped_at:
            patient = await store.change_patient(patient.id, blocked_at=None, stopped_at=None)
            await plan_all(store, patient, content.timing, now)
            services.wake()
            lead = content.words.say("resumed")
        else:
            lead = content.words.say("welcome_back")
        if patient.step != "done":
            question = step_page(services, content, patient, now)
            return Reply(messages=(Message(lead), question))
        return Reply(messages=(Message(Html(f"{lead}\n\n{await _next_times(store, content, patient)}")),))


async def _introduce(services: Services, store: Store, content: Content, payload: str) -> Reply:
    words = content.words
    if not services.open_access:
        code = payload.strip()
        if not code or not await store.invite_is_good(access.hashed(code), services.clock()):
            key = "invite_refused" if code else "invite_needed"
            emergency = numbers.emergency_block(content, None, services.clock().date())
            return Reply(messages=(Message(words.say(key, emergency=emergency)),))
    agree = Button(words.plain("button_agree"), f"en:yes:{payload.strip()[:40]}", Style.GOOD)
    decline = Button(words.plain("button_decline"), "en:no")
    more = Button(words.plain("button_privacy"), "en:privacy")
    text = Html(f"{words.say('introduction')}\n\n{words.say('consent')}")
    return Reply(messages=(Message(text, ((agree,), (decline, more))),))


async def agree(services: Services, chat_id: int, language: str | None, code: str) -> Reply:
    """Record consent with its time and text version, and ask the country."""
    async with services.database.transaction() as store:
        now = services.clock()
        known = await store.patient_of_chat(chat_id)
        content = services.content(known.language if known else language)
        if known is not None and known.consent_at is not None:
            return Reply(edit=step_page(services, content, known, now))
        if not services.open_access and not await store.use_invite(access.hashed(code), now):
            emergency = numbers.emergency_block(content, None, now.date())
            return Reply(messages=(Message(content.words.say("invite_refused", emergency=emergency)),))
        patient = await store.add_patient(chat_id, content.language, services.usual_times(), now)
        await store.record_consent(patient.id, CONSENT_VERSION, now)
        patient = await store.change_patient(patient.id, step="country", expecting="enrol:country")
        return Reply(edit=step_page(services, content, patient, now))


async def decline(services: Services, language: str | None) -> Reply:
    """Answer a refusal of consent: nothing is kept, the door stays open."""
    return Reply(edit=Message(services.content(language).words.say("declined")))


# --- pages ---------------------------------------------------------------------------------------------


def step_page(
    services: Services, content: Content, patient: Patient, now: datetime, lead: str = ""
) -> Message:
    """Return the question of the step where enrolment stands."""
    page = {
        "country": lambda: country_page(services, content, "en"),
        "zone": lambda: zone_page(content, patient.country, "en", services.default_zone),
        "prompt": lambda: time_page(content, "prompt", "en"),
        "checkin": lambda: time_page(content, "checkin", "en"),
        "profile": lambda: _profile_offer(content),
    }.get(patient.step, lambda: Message(content.words.say("welcome_back")))()
    return Message(Html(f"{lead}\n\n{page.text}"), page.rows, keyboard=page.keyboard) if lead else page


def country_page(services: Services, content: Content, area: str) -> Message:
    """Return the question of the country: the usual ones as buttons, any by typing; never guessed."""
    words = content.words
    first = [services.default_country] if services.default_country else []
    usual = [*first, *words.plain("countries_first").split()]
    codes = list(dict.fromkeys(code for code in usual if code))
    buttons = [
        Button(places.country_name(code, content.language), f"{area}:country:{code}") for code in codes
    ]
    rows = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    skip = (Button(words.plain("button_skip"), f"{area}:country:skip"),)
    return Message(words.say("ask_country"), (*rows, skip))


def zone_page(content: Content, country: str | None, area: str, default: str | None = None) -> Message:
    """Return the question of the zone: the country's places as buttons, a typed city, a location, the clock."""
    words = content.words
    offered = [(place.label, place.zone) for place in places.choices(content, country)] if country else []
    if default and default not in {zone for _, zone in offered}:
        offered.insert(0, (places.zone_label(default, content.language), default))
    rows = tuple((Button(label, f"{area}:zone:{zone}"),) for label, zone in offered[:MANY_ZONES])
    share = (Button(words.plain("button_share_location"), f"{area}:where"),)
    return Message(words.say("ask_zone"), (*rows, share))


def time_page(content: Content, which: str, area: str) -> Message:
    """Return the question of the evening or morning time: the usual as buttons, any by typing."""
    words, timing = content.words, content.timing
    choices = timing.prompt_choices if which == "prompt" else timing.checkin_choices
    buttons = [Button(words.time(at), f"{area}:{which}:{at:%H%M}") for at in choices]
    rows = tuple(tuple(buttons[at : at + 3]) for at in range(0, len(buttons), 3))
    return Message(words.say(f"ask_{which}"), rows)


def _profile_offer(content: Content) -> Message:
    words = content.words
    yes = Button(words.plain("button_profile_now"), "en:profile:now", Style.MAIN)
    later = Button(words.plain("button_profile_later"), "en:profile:later")
    return Message(words.say("ask_profile"), ((yes,), (later,)))


# --- answers -------------------------------------------------------------------------------------------


async def press(services: Services, chat_id: int, what: str, value: str) -> Reply:
    """Take one enrolment button: country, zone, prompt, checkin, profile, where."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return Reply(notice=services.content(None).words.plain("notice_nobody"), alert=True)
        content = services.content_for(patient)
        if patient.step == "done":
            return Reply(notice=content.words.plain("notice_enrolled"), alert=True)
        if what == "where":
            return location_request(content)
        if what == "profile":
            return await _finish(services, store, patient, with_profile=value == "now")
        accepted = await accept(services, store, patient, what, value)
        if accepted is None:
            return Reply(notice=content.words.plain("notice_old_button"), alert=True)
        return Reply(edit=step_page(services, content, accepted, services.clock()))


def location_request(content: Content) -> Reply:
    """Ask for the place by Telegram's own button; it is resolved here and not kept."""
    words = content.words
    ask = Message(
        words.say("share_location"), keyboard="location", keyboard_text=words.plain("button_send_location")
    )
    return Reply(messages=(ask,))


async def accept(services: Services, store: Store, patient: Patient, what: str, value: str) -> Patient | None:
    """Write one answer and move to the step after it; None when the value makes no sense."""
    if what == "country":
        code = None if value == "skip" else value.upper()
        if code is not None and not places.is_country(code):
            return None
        patient = await store.change_patient(patient.id, country=code)
        zones = places.zones_of(code) if code else ()
        if len(zones) == 1:
            patient = await store.change_patient(patient.id, zone=zones[0])
    elif what == "zone" and places.is_zone(value):
        patient = await store.change_patient(patient.id, zone=value)
    elif what in ("prompt", "checkin") and len(value) == 4 and value.isdigit():
        at = _clock_time(value)
        if at is None:
            return None
        patient = await store.change_patient(patient.id, **{f"{what}_at": at})
    else:
        return None
    return await _advance(store, patient, what)


def _clock_time(value: str) -> time | None:
    hour, minute = int(value[:2]), int(value[2:])
    return time(hour, minute) if hour < 24 and minute < 60 else None


async def _advance(store: Store, patient: Patient, answered: str) -> Patient:
    """An answer to an earlier step changes it without undoing the later ones."""
    at = STEPS.index(patient.step)
    step = STEPS[max(at, STEPS.index(answered) + 1)]
    if step == "zone" and patient.zone:
        step = "prompt"
    return await store.change_patient(patient.id, step=step, expecting=f"enrol:{step}")


async def _finish(services: Services, store: Store, patient: Patient, with_profile: bool) -> Reply:
    content = services.content_for(patient)
    now = services.clock()
    patient = await store.change_patient(patient.id, step="done", expecting="")
    await plan_all(store, patient, content.timing, now)
    services.wake()
    first = profile.first_question(content, {}, "r") if with_profile else None
    done = Message(Html(f"{content.words.say('enrolled')}\n\n{await _next_times(store, content, patient)}"))
    return Reply(edit=done, messages=(first,) if first else ())


async def _next_times(store: Store, content: Content, patient: Patient) -> Html:
    due = {sending.kind: sending.due_at for sending in await store.waiting(patient.id)}
    lines = []
    for kind, at in sorted(due.items(), key=lambda item: item[1]):
        if kind in ("prompt", "checkin"):
            lines.append(
                content.words.say(f"next_{kind}", at=content.words.moment(at.astimezone(patient.tz)))
            )
    return Html("\n".join(lines) or content.words.say("next_nothing"))


# --- typed answers -------------------------------------------------------------------------------------


async def typed(services: Services, store: Store, patient: Patient, text: str) -> Reply:
    """Take a typed answer to the step where enrolment stands; say what would be understood if it was not."""
    content = services.content_for(patient)
    now = services.clock()
    if patient.step == "profile":
        return Reply(messages=(step_page(services, content, patient, now),))
    found = understand(content, patient, patient.step, text, now)
    if isinstance(found, Message):
        return Reply(messages=(found,))
    accepted = await accept(services, store, patient, patient.step, found) if found else None
    if accepted is None:
        lead = content.words.say(f"not_understood_{patient.step}", text=text[:40])
        return Reply(messages=(step_page(services, content, patient, now, lead),))
    return Reply(
        messages=(step_page(services, content, accepted, now, _accepted(content, accepted, patient.step)),)
    )


def _accepted(content: Content, patient: Patient, what: str) -> str:
    return accepted_words(content, patient, what)


def accepted_words(content: Content, patient: Patient, what: str) -> Html:
    """Return the sentence that shows what was understood."""
    words = content.words
    value = {
        "country": places.country_name(patient.country, content.language) if patient.country else "",
        "zone": places.zone_label(patient.zone, content.language) if patient.zone else "",
        "prompt": words.time(patient.times.prompt_at),
        "checkin": words.time(patient.times.checkin_at),
    }[what]
    return words.say(f"accepted_{what}", value=value)


def understand(
    content: Content, patient: Patient, what: str, text: str, now: datetime
) -> str | Message | None:
    """Return the value typed words stand for, a choice when they may be several, or None."""
    if what == "country":
        return _one_or_choice(content, what, [(c, c) for c in places.find_country(text, content.language)])
    if what == "zone":
        return _zone_typed(content, patient, text, now)
    near = content.timing.prompt_at if what == "prompt" else content.timing.checkin_at
    at = read_time(text, content.clock, near=near)
    return f"{at:%H%M}" if at else None


def _zone_typed(content: Content, patient: Patient, text: str, now: datetime) -> str | Message | None:
    at = read_time(text, content.clock) if any(letter.isdigit() for letter in text) else None
    if at is not None:
        zones = places.zones_at_clock(content, patient.country, now, at)
        return _one_or_choice(content, "zone", [(zone, zone) for zone in zones])
    matches = places.find_place(content, text, patient.country)
    return _one_or_choice(content, "zone", [(match.zone, match.label) for match in matches])


def _one_or_choice(content: Content, what: str, found: list[tuple[str, str]]) -> str | Message | None:
    """One meaning is taken; several become buttons."""
    if not found:
        return None
    if len({value for value, _ in found}) == 1:
        return found[0][0]
    name = places.country_name if what == "country" else places.zone_label
    rows: Rows = tuple(
        (Button(name(value, content.language) if value == label else label, f"en:{what}:{value}"),)
        for value, label in found[:MANY_ZONES]
    )
    return Message(content.words.say("which_one"), rows)
