"""Enrolment: what the bot is, consent, country, zone, two times, an optional safety profile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from bot.flows import access, numbers, presence, profile
from bot.flows.escalation import replan
from bot.flows.refusals import nobody, old_button
from bot.flows.schedule import plan_all
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style, in_rows
from bot.model import Patient
from bot.rules import places
from bot.rules.clock_words import read_time
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

CONSENT_VERSION = "2026-11"
STEPS = ("country", "zone", "prompt", "checkin", "done")
STEP_BEFORE = {"zone": "country", "prompt": "zone", "checkin": "prompt"}
SHARING = "where"  # the key that sends a place is shown below the keyboard, and must go again
SHARED = "+where"  # behind the message that answered while that key was shown
MANY_ZONES = 12  # at most so many buttons of places
QUOTED = 40  # characters of what was typed and not understood that are said back
HALF_DAY = timedelta(hours=12)


# --- beginning -----------------------------------------------------------------------------------------


async def start(services: Services, chat_id: int, language: str | None, payload: str) -> Reply:
    """Answer /start: the introduction for someone new, the next step half-way, a welcome for the rest."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return await _introduce(services, store, services.content_of(patient, language), payload)
        return await _welcome(services, store, patient)


async def _welcome(services: Services, store: Store, patient: Patient) -> Reply:
    """Go on where it was left: after /stop and after a block too."""
    now, content = services.clock(), services.content_for(patient)
    rested = patient.blocked_at or patient.stopped_at
    if rested:
        fields = {"paused_until": None} if patient.stopped_at else {}
        patient = await store.change_patient(patient.id, blocked_at=None, stopped_at=None, **fields)
        await plan_all(store, patient, content.timing, now)
        await presence.wake_safety(store, patient, now)  # said before the welcome, so the tick is not woken
    lead = content.words.say("resumed" if rested else "welcome_back")
    if patient.step == "done":
        return Reply(messages=(Message(Html(f"{lead}\n\n{await _next_times(store, content, patient)}")),))
    await store.change_patient(patient.id, expecting=f"enrol:{patient.step}")
    return Reply(messages=(Message(lead), step_page(services, content, patient, now)))


async def _introduce(services: Services, store: Store, content: Content, payload: str) -> Reply:
    words, code = content.words, payload.strip()
    if services.open_access:
        code = ""
    elif not code or not await store.invite_is_good(access.hashed(code), services.clock()):
        return Reply(
            messages=(_not_let_in(services, content, "invite_refused" if code else "invite_needed"),)
        )
    erased = await store.count_receipts()
    stamp = f":{erased}" if erased else ""  # a button from before an erasure may be the erased person's
    agree = Button(words.plain("button_agree"), f"en:yes:{code}{stamp}", Style.GOOD)
    decline = Button(words.plain("button_decline"), "en:no")
    more = Button(words.plain("button_privacy"), "en:privacy")
    return Reply(messages=(Message(_introduction(content), ((agree,), (decline, more))),))


def _not_let_in(services: Services, content: Content, key: str) -> Message:
    emergency = numbers.emergency_block(content, None, services.clock().date())
    return Message(content.words.say(key, emergency=emergency))


async def agree(services: Services, chat_id: int, language: str | None, code: str, erased: int) -> Reply:
    """Record consent with its time and text version, and ask the country.

    *erased* is how many erasures the introduction knew of: one that is older makes nobody.
    """
    async with services.database.transaction() as store:
        now = services.clock()
        known = await store.patient_of_chat(chat_id)
        content = services.content_of(known, language)
        if known is not None and known.consent_at is not None:
            return _agreed(services, content, known, now)
        if erased != await store.count_receipts():
            return Reply(notice=content.words.plain("notice_begin_again"), alert=True)
        if not services.open_access and not await store.use_invite(access.hashed(code), now):
            return Reply(edit=_not_let_in(services, content, "invite_refused"))
        patient = await store.add_patient(chat_id, content.language, services.usual_times(), now)
        await store.record_consent(patient.id, CONSENT_VERSION, now)
        patient = await store.change_patient(patient.id, step="country", expecting="enrol:country")
        return _agreed(services, content, patient, now)


def _agreed(services: Services, content: Content, patient: Patient, now: datetime) -> Reply:
    """The introduction stays in the chat to be read again; the first question follows it."""
    agreed = Message(Html(f"{_introduction(content)}\n\n{content.words.say('agreed')}"))
    return Reply(edit=agreed, messages=(step_page(services, content, patient, now),))


def _introduction(content: Content) -> Html:
    return Html(f"{content.words.say('introduction')}\n\n{content.words.say('consent')}")


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
    }.get(patient.step, lambda: Message(content.words.say("welcome_back")))()
    before = _step_before(patient)
    if before:
        back = (Button(content.words.plain("button_back"), f"en:back:{before}"),)
        page = replace(page, rows=(*page.rows, back))
    return replace(page, text=Html(f"{lead}\n\n{page.text}")) if lead else page


def _step_before(patient: Patient) -> str | None:
    """The zone is no step of its own where the country has settled it."""
    before = STEP_BEFORE.get(patient.step)
    if before == "zone" and patient.country and len(places.zones_of(patient.country)) == 1:
        return "country"
    return before


def country_page(services: Services, content: Content, area: str) -> Message:
    """Return the question of the country: the usual ones as buttons, any by typing; never guessed."""
    words = content.words
    first = [services.default_country] if services.default_country else []
    usual = [*first, *words.plain("countries_first").split()]
    codes = list(dict.fromkeys(code for code in usual if code))
    buttons = [
        Button(places.country_name(code, content.language), f"{area}:country:{code}") for code in codes
    ]
    skip = (Button(words.plain("button_skip"), f"{area}:country:skip"),)
    return Message(words.say("ask_country"), (*in_rows(buttons, 2), skip))


def zone_page(content: Content, country: str | None, area: str, default: str | None = None) -> Message:
    """Return the question of the zone: the country's places as buttons, a city, a location, the clock."""
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
    return Message(words.say(f"ask_{which}"), in_rows(buttons, 3))


# --- answers -------------------------------------------------------------------------------------------


async def press(
    services: Services, chat_id: int, what: str, value: str, language: str | None = None
) -> Reply:
    """Take one enrolment button: country, zone, prompt, checkin, profile, where, back."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(language))
        content = services.content_for(patient)
        if patient.step == "done":
            return await _pressed_late(services, store, content, patient, what, value)
        if what == "where":
            await store.change_patient(patient.id, expecting=f"enrol:{SHARING}")
            return location_request(content)
        if what == "back":
            return await _go_back(services, store, patient, value)
        accepted = await accept(services, store, patient, what, value)
        if accepted is None:
            return old_button(content)
        return await _next_page(services, store, patient, accepted, what, in_place=True)


async def _pressed_late(
    services: Services, store: Store, content: Content, patient: Patient, what: str, value: str
) -> Reply:
    """A button of enrolment changes nothing any more; the last ones say again what they said."""
    if what == "checkin" and clock_of(value) == patient.times.checkin_at:
        said = accepted_words(content, patient, what, services.clock())
        return Reply(edit=await _finished(store, content, patient, said))
    if what != "profile":
        return Reply(notice=content.words.plain("notice_enrolled"), alert=True)
    known = await store.profile(patient.id)
    first = profile.first_question(content, known, "r") if value == "now" else None
    return Reply(edit=await _done_page(store, content, patient), messages=(first,) if first else ())


async def _go_back(services: Services, store: Store, patient: Patient, step: str) -> Reply:
    """Return to an earlier step; one that was not reached yet stays out of reach."""
    if step in STEPS and STEPS.index(step) < STEPS.index(patient.step):
        patient = await store.change_patient(patient.id, step=step, expecting=f"enrol:{step}")
    return Reply(edit=step_page(services, services.content_for(patient), patient, services.clock()))


async def _next_page(
    services: Services, store: Store, before: Patient, patient: Patient, what: str, in_place: bool
) -> Reply:
    """Say what was understood and put the next question; ask the country where the zone lies in another."""
    content, now = services.content_for(patient), services.clock()
    lead = accepted_words(content, patient, what, now)
    gone: tuple[Message, ...] = ()
    if before.expecting.endswith(f":{SHARING}"):
        gone, lead = (Message(lead, keyboard="remove"),), Html("")
    if patient.step == "done":
        if before.step != "done":
            await _begin(services, store, patient)
        page = await _finished(store, content, patient, lead)
    else:
        page = step_page(services, content, patient, now, lead)
    abroad = (abroad_question(content, patient, now.date()),) if what == "zone" else ()
    asked = tuple(message for message in abroad if message is not None)
    if in_place:
        return Reply(edit=page, messages=(*gone, *asked))
    return Reply(messages=(*gone, *asked, page))


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
        patient = await store.change_patient(
            patient.id, zone_country_asked=False, **of_country(patient, code)
        )
    elif what == "zone" and places.is_zone(value):
        patient = await store.change_patient(
            patient.id, zone=value, zone_country_asked=is_abroad(patient, value)
        )
    elif what in ("prompt", "checkin") and len(value) == 4 and value.isdigit():
        at = clock_of(value)
        if at is None:
            return None
        patient = await store.change_patient(patient.id, **{f"{what}_at": at})
    else:
        return None
    return await _advance(store, patient, what)


def of_country(patient: Patient, code: str | None) -> dict[str, object]:
    """Return what a chosen country settles: its one zone, or none where the old one is not its own."""
    zones = places.zones_of(code) if code else ()
    if len(zones) == 1:
        return {"country": code, "zone": zones[0]}
    if code and patient.zone and places.country_of_zone(patient.zone) != code:
        return {"country": code, "zone": None}
    return {"country": code}


def is_abroad(patient: Patient, zone: str) -> bool:
    """Return whether a zone lies in another country than the one whose numbers are shown."""
    there = places.country_of_zone(zone)
    return bool(patient.country and there and there != patient.country)


def abroad_question(content: Content, patient: Patient, today: date) -> Message | None:
    """Ask the country again where the zone has left it, with both numbers; None where nothing is open."""
    there = places.country_of_zone(patient.zone) if patient.zone else None
    if not patient.zone_country_asked or not patient.country or not there:
        return None
    words = content.words
    names = [(code, places.country_name(code, content.language)) for code in (there, patient.country)]
    rows: Rows = tuple((Button(name, f"se:abroad:{code}"),) for code, name in names)
    other = (Button(words.plain("button_other_country"), "se:abroad:other"),)
    text = words.say(
        "ask_country_again",
        zone=places.zone_label(patient.zone or "", content.language),
        there=names[0][1],
        country=names[1][1],
        emergency=numbers.emergency_block(content, patient, today),
    )
    return Message(text, (*rows, other))


def clock_of(value: str) -> time | None:
    """Return the time four digits stand for ("2130"); None for nonsense."""
    if len(value) != 4 or not value.isdigit():
        return None
    hour, minute = int(value[:2]), int(value[2:])
    return time(hour, minute) if hour < 24 and minute < 60 else None


async def _advance(store: Store, patient: Patient, answered: str) -> Patient:
    """An answer to an earlier step changes it without undoing the later ones."""
    at = STEPS.index(patient.step)
    step = STEPS[max(at, STEPS.index(answered) + 1)]
    if step == "zone" and patient.zone:
        step = "prompt"
    elif patient.zone is None and step != "country":
        step = "zone"
    expecting = "" if step == "done" else f"enrol:{step}"
    return await store.change_patient(patient.id, step=step, expecting=expecting)


async def _begin(services: Services, store: Store, patient: Patient) -> None:
    """Plan from the last answer that is needed on: whether the health questions are ever tapped is open."""
    content = services.content_for(patient)
    await plan_all(store, patient, content.timing, services.clock())
    await replan(store, patient, content)
    services.wake()


async def _finished(store: Store, content: Content, patient: Patient, lead: Html) -> Message:
    """Return what comes next, with the offer of the health questions."""
    done, words = await _done_page(store, content, patient), content.words
    yes = Button(words.plain("button_profile_now"), "en:profile:now", Style.MAIN)
    later = Button(words.plain("button_profile_later"), "en:profile:later")
    text = "\n\n".join(part for part in (lead, done.text, words.say("ask_profile")) if part)
    return Message(Html(text), ((yes,), (later,)))


async def _done_page(store: Store, content: Content, patient: Patient) -> Message:
    return Message(Html(f"{content.words.say('enrolled')}\n\n{await _next_times(store, content, patient)}"))


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


async def typed(services: Services, store: Store, patient: Patient, text: str, origin: str) -> Reply:
    """Take a typed answer to the step where enrolment stands; say what would be understood if it was not."""
    content = services.content_for(patient)
    now, what = services.clock(), patient.step
    taken = taken_from(patient, origin)
    if taken:
        return await _next_page(services, store, before_taking(patient), patient, taken, in_place=False)
    found = understand(content, patient, what, text, now)
    if isinstance(found, Message):
        return Reply(messages=(found,))
    accepted = await accept(services, store, patient, what, found) if found else None
    if accepted is None:
        lead = content.words.say(f"not_understood_{what}", text=text[:QUOTED])
        return Reply(messages=(step_page(services, content, patient, now, lead),))
    accepted = await take(store, patient, accepted, "enrol", what, origin)
    return await _next_page(services, store, patient, accepted, what, in_place=False)


async def take(store: Store, before: Patient, patient: Patient, area: str, what: str, origin: str) -> Patient:
    """Remember which message answered what: handled again after a lost reply, it answers nothing else."""
    shared = SHARED if before.expecting.endswith(f":{SHARING}") else ""
    return await store.change_patient(patient.id, expecting=f"{area}:{what}:{origin}{shared}")


def taken_from(patient: Patient, origin: str) -> str:
    """Return what this very message answered already; empty when it is new."""
    _, what, taken = (*patient.expecting.split(":", 2), "", "")[:3]
    return what if taken.removesuffix(SHARED) == origin else ""


def before_taking(patient: Patient) -> Patient:
    """Return the patient as expecting what the last taken message answered."""
    return replace(patient, expecting=f":{SHARING}" if patient.expecting.endswith(SHARED) else "")


async def place_found(services: Services, store: Store, patient: Patient, zone: str) -> Reply:
    """Take the zone of a shared place while enrolling."""
    accepted = await accept(services, store, patient, "zone", zone)
    plain = replace(patient, expecting="")
    if accepted is None:
        return Reply()
    return await _next_page(services, store, plain, accepted, "zone", in_place=False)


def accepted_words(content: Content, patient: Patient, what: str, now: datetime) -> Html:
    """Return the sentence that shows what was understood."""
    words = content.words
    if what == "country" and patient.country is None:
        return words.say("accepted_no_country")
    if what == "country":
        country = words.say(
            "accepted_country", value=places.country_name(patient.country or "", content.language)
        )
        return Html(f"{country} {accepted_words(content, patient, 'zone', now)}") if patient.zone else country
    if what == "zone":
        zone = places.zone_label(patient.zone or "UTC", content.language)
        return words.say("accepted_zone", value=zone, clock=words.time(now.astimezone(patient.tz)))
    at = patient.times.prompt_at if what == "prompt" else patient.times.checkin_at
    return words.say(f"accepted_{what}", value=words.time(at))


def understand(
    content: Content, patient: Patient, what: str, text: str, now: datetime
) -> str | Message | None:
    """Return the value typed words stand for, a choice when they may be several, or None."""
    if what == "country":
        return _country_typed(content, text)
    if what == "zone":
        return _zone_typed(content, patient, text, now)
    near = content.timing.prompt_at if what == "prompt" else content.timing.checkin_at
    at = read_time(text, content.clock, near=near)
    return f"{at:%H%M}" if at else None


def _country_typed(content: Content, text: str) -> str | Message | None:
    """A country is taken; one within a sentence, or of a city, is asked about, for the numbers hang on it."""
    found = places.find_country(text, content.language)
    named = found or places.countries_named(content, text, content.language)
    return _one_or_choice(content, "country", [(code, code) for code in named], sure=bool(found))


def _zone_typed(content: Content, patient: Patient, text: str, now: datetime) -> str | Message | None:
    matches = places.find_place(content, text, patient.country)
    if matches:
        return _one_or_choice(content, "zone", [(match.zone, match.label) for match in matches])
    at = read_time(text, content.clock)
    if at is None:
        named = places.places_named(content, text, patient.country)
        return _one_or_choice(content, "zone", [(match.zone, match.label) for match in named], sure=False)
    zones = _zones_showing(content, patient.country, now, at, text)
    found = [(zone, zone) for zone in zones]
    if not all(is_abroad(patient, zone) for zone in zones):
        return _one_or_choice(content, "zone", found)
    home = places.country_name(patient.country or "", content.language)
    asked = content.words.say("clock_elsewhere", country=home)
    return _one_or_choice(content, "zone", found, sure=False, asked=asked)


def _zones_showing(content: Content, country: str | None, now: datetime, at: time, text: str) -> list[str]:
    """Return the zones whose clock shows a typed time; "9:40" without am or pm may be either half."""
    later = (datetime.combine(now.date(), at) + HALF_DAY).time()
    is_open = read_time(text, content.clock, near=later) == later
    halves = (at, later) if is_open else (at,)
    found = [zone for half in halves for zone in places.zones_at_clock(content, country, now, half)]
    at_home = [zone for zone in found if country and places.country_of_zone(zone) == country]
    return list(dict.fromkeys(at_home or found))


def _one_or_choice(
    content: Content, what: str, found: list[tuple[str, str]], sure: bool = True, asked: Html | None = None
) -> str | Message | None:
    """One meaning is taken if it is sure; several, or one in doubt, become buttons, with a way back."""
    if not found:
        return None
    if sure and len({value for value, _ in found}) == 1:
        return found[0][0]
    name = places.country_name if what == "country" else places.zone_label
    rows: Rows = tuple(
        (Button(name(value, content.language) if value == label else label, f"en:{what}:{value}"),)
        for value, label in found[:MANY_ZONES]
    )
    back = (Button(content.words.plain("button_none_of_these"), f"en:back:{what}"),)
    return Message(asked or content.words.say("which_one"), (*rows, back))
