"""The patient's own choices: times, zone, country, quiet hours, sound, a pause with its return."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from bot.flows import enrolment, numbers
from bot.flows.escalation import replan
from bot.flows.pauses import every_choices, how_often, pause_choices
from bot.flows.plain_words import folded, listed
from bot.flows.refusals import nobody, not_enrolled, old_button
from bot.flows.schedule import first_checkin, plan_all
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows
from bot.model import Kind, Patient
from bot.rules import places
from bot.rules.clock_words import read_date, read_time
from bot.rules.timing import iso_date, local_moment
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

PAGES = ("prompt", "checkin", "every", "zone", "country", "quiet", "pause", enrolment.SHARING)
FURTHEST_PAUSE = timedelta(days=366)


async def show(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /settings: what stands, and a button for each thing that can be changed."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or not patient.is_enrolled:
            return not_enrolled(services.content_of(patient, language), patient)
        if patient.expecting.startswith("set:"):
            patient = await store.change_patient(patient.id, expecting="")
    return Reply(messages=(overview(services.content_for(patient), patient, services.clock()),))


def overview(content: Content, patient: Patient, now: datetime, lead: str = "") -> Message:
    """Return the settings as they stand, after what has just been understood."""
    words, times = content.words, patient.times
    text = words.say(
        "settings",
        prompt=words.time(times.prompt_at),
        checkin=words.time(times.checkin_at),
        every=how_often(content, patient.checkin_every),
        quiet=_quiet(content, times.quiet_from, times.quiet_until),
        zone=places.zone_label(patient.zone or "UTC", content.language),
        clock=words.time(now.astimezone(patient.tz).time()),
        country=places.country_name(patient.country, content.language)
        if patient.country
        else words.say("country_unknown"),
        sound=words.say("sound_off" if patient.silent else "sound_on"),
        state=_state(content, patient, patient.day_of(now)),
    )
    if lead:
        text = Html(f"{lead}\n\n{text}")
    rows: list[tuple[Button, ...]] = [
        (_page_button(content, "prompt"), _page_button(content, "checkin")),
        (_page_button(content, "every"),),
        (_page_button(content, "zone"), _page_button(content, "country")),
        (
            _page_button(content, "quiet"),
            _sound_button(content, patient),
        ),
    ]
    if _rests(patient, patient.day_of(now)):
        rows.append((Button(words.plain("button_resume"), "se:resume:now"),))
    else:
        rows.append((_page_button(content, "pause"),))
    rows.append((Button(words.plain("set_profile"), "pr:a:start:go"),))
    return Message(text, tuple(rows))


def _page_button(content: Content, page: str) -> Button:
    return Button(content.words.plain(f"set_{page}"), f"se:page:{page}")


def _sound_button(content: Content, patient: Patient) -> Button:
    turn = "on" if patient.silent else "off"
    return Button(content.words.plain(f"set_sound_{turn}"), f"se:sound:{turn}")


def _quiet(content: Content, start: time, end: time) -> Html:
    words = content.words
    return (
        words.say("quiet_none")
        if start == end
        else words.say("span", start=words.time(start), end=words.time(end))
    )


def _rests(patient: Patient, today: date) -> bool:
    is_paused = patient.paused_until is not None and patient.paused_until > today
    return patient.stopped_at is not None or (is_paused and not patient.is_unheard)


def _state(content: Content, patient: Patient, today: date) -> Html:
    words = content.words
    if patient.stopped_at:
        return words.say("state_stopped")
    if patient.paused_until and patient.paused_until > today and not patient.is_unheard:
        return words.say("state_paused", day=words.day(patient.paused_until))
    return words.say("state_on")


async def press(services: Services, chat_id: int, what: str, value: str, language: str | None) -> Reply:
    """Take one settings button: a page to open, or a value to set."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(language))
        content = services.content_for(patient)
        if what == "abroad":
            return await _answer_abroad(services, store, patient, value)
        if not patient.is_enrolled:
            return Reply(notice=content.words.plain("notice_not_enrolled"), alert=True)
        if what == "where":
            await store.change_patient(patient.id, expecting=f"set:{enrolment.SHARING}")
            return enrolment.location_request(content)
        if what == "page":
            return await _open(services, store, patient, value)
        changed = await apply(services, store, patient, what, value)
        if changed is None:
            return old_button(content)
        return _changed(services, patient, changed, what, in_place=True)


async def _open(services: Services, store: Store, patient: Patient, page: str) -> Reply:
    """Open one page; whatever is typed next answers it, until the overview is back."""
    content = services.content_for(patient)
    known = page in PAGES
    await store.change_patient(patient.id, expecting=f"set:{page}" if known else "")
    shown = _page(services, content, patient, page) if known else overview(content, patient, services.clock())
    return Reply(edit=shown)


def _changed(services: Services, before: Patient, patient: Patient, what: str, in_place: bool) -> Reply:
    """Show what stands now, and ask what the change has opened: the country abroad, the zone."""
    content, now = services.content_for(patient), services.clock()
    more: list[Message] = []
    lead = _understood_as(content, patient, what, now)
    if before.expecting.endswith(f":{enrolment.SHARING}"):
        more.append(Message(lead, keyboard="remove"))
    asked = enrolment.abroad_question(content, patient, now.date()) if what == "zone" else None
    if what == "country" and patient.country and _is_elsewhere(patient):
        asked = enrolment.zone_page(content, patient.country, "se")
    if asked is not None:
        more.append(asked)
    page = overview(content, patient, now, lead)
    if in_place:
        return Reply(edit=page, messages=tuple(more), notice=content.words.plain("notice_saved"))
    return Reply(messages=(page, *more))


def _is_elsewhere(patient: Patient) -> bool:
    """Return whether the zone lies in no country or in another one than the patient's."""
    return patient.zone is None or places.country_of_zone(patient.zone) != patient.country


def _understood_as(content: Content, patient: Patient, what: str, now: datetime) -> Html:
    words = content.words
    if what in ("country", "zone", "prompt", "checkin"):
        return enrolment.accepted_words(content, patient, what, now)
    if what == "quiet":
        span = _quiet(content, patient.times.quiet_from, patient.times.quiet_until)
        return words.say("accepted_quiet", value=span)
    if what == "every":
        day = words.day(patient.day_of(first_checkin(patient, now)))
        return words.say("accepted_every", value=how_often(content, patient.checkin_every), day=day)
    if what == "pause" and patient.paused_until:
        return words.say("accepted_pause", day=words.day(patient.paused_until))
    return words.say("accepted_sound" if what == "sound" else "accepted_resume")


async def _answer_abroad(services: Services, store: Store, patient: Patient, value: str) -> Reply:
    """Take the country that is asked again after the zone has left it; the zone stays."""
    content = services.content_for(patient)
    if value == "other":
        area = "se" if patient.is_enrolled else "en"
        if patient.is_enrolled:
            await store.change_patient(patient.id, expecting="set:country")
        return Reply(edit=enrolment.country_page(services, content, area))
    if not places.is_country(value):
        return old_button(content)
    patient = await store.change_patient(patient.id, country=value, zone_country_asked=False)
    content = services.content_for(patient)
    name = places.country_name(value, content.language)
    emergency = numbers.emergency_block(content, patient, services.clock().date())
    text = content.words.say("country_settled", value=name, emergency=emergency)
    return Reply(edit=Message(text), notice=content.words.plain("notice_saved"))


def _page(services: Services, content: Content, patient: Patient, page: str) -> Message:
    shown = {
        "country": lambda: enrolment.country_page(services, content, "se"),
        "zone": lambda: enrolment.zone_page(content, patient.country, "se", services.default_zone),
        enrolment.SHARING: lambda: enrolment.zone_page(content, patient.country, "se", services.default_zone),
        "prompt": lambda: enrolment.time_page(content, "prompt", "se"),
        "checkin": lambda: enrolment.time_page(content, "checkin", "se"),
        "every": lambda: Message(content.words.say("ask_every"), every_choices(content)),
        "quiet": lambda: _quiet_page(content),
        "pause": lambda: _pause_page(content, patient.day_of(services.clock())),
    }[page]()
    back = (Button(content.words.plain("button_back"), "se:page:overview"),)
    return Message(shown.text, (*shown.rows, back))


def _quiet_page(content: Content) -> Message:
    words, timing = content.words, content.timing
    usual = words.plain("span", start=words.time(timing.quiet_from), end=words.time(timing.quiet_until))
    rows: Rows = (
        (Button(usual, f"se:quiet:{timing.quiet_from:%H%M}-{timing.quiet_until:%H%M}"),),
        (Button(words.plain("no_quiet"), "se:quiet:0000-0000"),),
    )
    return Message(words.say("ask_quiet"), rows)


def _pause_page(content: Content, today: date) -> Message:
    return Message(content.words.say("ask_pause"), pause_choices(content, today))


async def apply(services: Services, store: Store, patient: Patient, what: str, value: str) -> Patient | None:
    """Write one setting and plan what follows from it; None when the value makes no sense."""
    fields = _fields(patient, what, value, patient.day_of(services.clock()))
    often = services.content_for(patient).timing.checkin_every_choices_days
    if fields is None or fields.get("checkin_every", often[0]) not in often:
        return None
    zone_before = patient.tz
    patient = await store.change_patient(patient.id, expecting="", **fields)
    if what == "country" and patient.country and _is_elsewhere(patient):
        patient = await store.change_patient(patient.id, expecting="set:zone")
    timing = services.content_for(patient).timing
    await plan_all(store, patient, timing, services.clock(), zone_before)
    await replan(store, patient, services.content_for(patient))
    if what == "pause" and patient.paused_until:
        back_at = local_moment(patient.paused_until, patient.times.checkin_at, patient.tz)
        await store.plan(patient.id, Kind.RESUME, patient.paused_until.isoformat(), 0, back_at)
    services.wake()
    return patient


def _fields(patient: Patient, what: str, value: str, today: date) -> dict[str, object] | None:
    if what == "country":
        return _country_fields(patient, value)
    if what == "zone":
        abroad = enrolment.is_abroad(patient, value)
        return {"zone": value, "zone_country_asked": abroad} if places.is_zone(value) else None
    if what in ("prompt", "checkin"):
        at = enrolment.clock_of(value)
        return {f"{what}_at": at} if at else None
    if what == "quiet":
        start, _, end = value.partition("-")
        span = enrolment.clock_of(start), enrolment.clock_of(end)
        return {"quiet_from": span[0], "quiet_until": span[1]} if None not in span else None
    if what == "every":
        return {"checkin_every": int(value)} if value.isdecimal() else None
    if what == "pause":
        until = iso_date(value)
        return {"paused_until": until} if until and today < until <= today + FURTHEST_PAUSE else None
    plain: dict[str, dict[str, object]] = {
        "sound:on": {"silent": False},
        "sound:off": {"silent": True},
        "resume:now": {"paused_until": None, "stopped_at": None},
    }
    return plain.get(f"{what}:{value}")


def _country_fields(patient: Patient, value: str) -> dict[str, object] | None:
    """A country brings its zone where it has one; else the old zone stays until the new one is answered."""
    code = None if value == "skip" else value.upper()
    if code is not None and not places.is_country(code):
        return None
    fields = {**enrolment.of_country(patient, code), "zone_country_asked": False}
    if fields.get("zone", "") is None:
        del fields["zone"]
    return fields


async def typed(
    services: Services, store: Store, patient: Patient, what: str, text: str, origin: str
) -> Reply:
    """Take a typed value for the settings page that is open; say what would be understood if it was not."""
    content = services.content_for(patient)
    taken = enrolment.taken_from(patient, origin)
    if taken:
        return _changed(services, enrolment.before_taking(patient), patient, taken, in_place=False)
    found = _understood(content, patient, what, text, services.clock())
    what = "zone" if what == enrolment.SHARING else what
    if isinstance(found, Message):
        rows = tuple(tuple(Button(b.text, _as_setting(b.press)) for b in row) for row in found.rows)
        return Reply(messages=(Message(found.text, rows),))
    changed = await apply(services, store, patient, what, found) if found else None
    if changed is None:
        lead = content.words.say(f"not_understood_{what}", text=text[: enrolment.QUOTED])
        page = _page(services, content, patient, what)
        return Reply(messages=(Message(Html(f"{lead}\n\n{page.text}"), page.rows),))
    if not changed.expecting:
        changed = await enrolment.take(store, patient, changed, "set", what, origin)
    return _changed(services, patient, changed, what, in_place=False)


def _as_setting(press: str) -> str:
    """Return what a button of enrolment carries in the settings, where the way back is the page itself."""
    return press.replace("en:back:", "se:page:") if press.startswith("en:back:") else f"se{press[2:]}"


def understands(content: Content, patient: Patient, what: str, text: str, now: datetime) -> bool:
    """Return whether words can be the value that an open settings page waits for."""
    return _understood(content, patient, what, text, now) is not None


def _understood(
    content: Content, patient: Patient, what: str, text: str, now: datetime
) -> str | Message | None:
    what = "zone" if what == enrolment.SHARING else what
    if what == "pause":
        today = patient.day_of(now)
        until = read_date(text, today, content.clock, month_first=month_first(content, patient))
        return until.isoformat() if until else None
    if what == "every":
        return _often(content, text)
    if what == "quiet":
        start, end = _span(content, text)
        return f"{start:%H%M}-{end:%H%M}" if start and end else None
    return enrolment.understand(content, patient, what, text, now)


def month_first(content: Content, patient: Patient) -> bool:
    """Return whether 2/12 is 12 February where the patient is; where that is not known it is 2 December."""
    pattern = str(content.words.locale.date_formats["short"])
    return patient.country is not None and pattern.lower().index("m") < pattern.lower().index("d")


def _often(content: Content, text: str) -> str | None:
    """Read how often to ask: in the language's own words, or as a number of days."""
    said = folded(text)
    for days in content.timing.checkin_every_choices_days:
        meant = (*listed(content, f"said_every_{days}"), str(days), folded(how_often(content, days)))
        if said in meant:
            return str(days)
    return None


def _span(content: Content, text: str) -> tuple[time | None, time | None]:
    """Read two times with a separator of the language between them ("10pm to 7am", "22-7")."""
    for separator in content.words.plain("span_separators").split("|"):
        start, found, end = text.partition(separator)
        if found:
            timing = content.timing
            return (
                read_time(start, content.clock, near=timing.quiet_from),
                read_time(end, content.clock, near=timing.quiet_until),
            )
    return None, None


async def located(services: Services, chat_id: int, zones: list[str], language: str | None) -> Reply:
    """Take the zone of a shared location, in enrolment or settings; the place itself is not kept."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient, language)
        words, today = content.words, services.clock().date()
        if patient is None or patient.consent_at is None:
            emergency = numbers.emergency_block(content, None, today)
            return Reply(messages=(Message(words.say("stranger", emergency=emergency)),))
        known = [zone for zone in zones if places.is_zone(zone)]
        if patient.step == "done" and patient.expecting not in ("set:zone", f"set:{enrolment.SHARING}"):
            return _unasked_place(services, content, patient, known)
        if not known:
            return Reply(messages=(Message(words.say("location_unknown"), keyboard="remove"),))
        gone = Message(words.say("location_dropped"), keyboard="remove")
        if len(known) > 1:
            return Reply(messages=(gone, _which_zone(content, patient, known)))
        if patient.step == "done":
            changed = await apply(services, store, patient, "zone", known[0])
            reply = _changed(
                services, replace(patient, expecting=""), changed or patient, "zone", in_place=False
            )
        else:
            reply = await enrolment.place_found(services, store, patient, known[0])
        return Reply(messages=(gone,)) + reply


def _which_zone(content: Content, patient: Patient, zones: list[str]) -> Message:
    area = "se" if patient.step == "done" else "en"
    rows = tuple(
        (Button(places.zone_label(zone, content.language), f"{area}:zone:{zone}"),) for zone in zones
    )
    return Message(content.words.say("which_one"), rows)


def _unasked_place(services: Services, content: Content, patient: Patient, zones: list[str]) -> Reply:
    """A place nobody asked for may be a call for help: the number first, then the zone if it is another."""
    words = content.words
    emergency = numbers.emergency_block(content, patient, services.clock().date())
    fresh = [zone for zone in zones if zone != patient.zone]
    rows: Rows = tuple(
        (
            Button(
                words.plain("button_zone_to", zone=places.zone_label(zone, content.language)),
                f"se:zone:{zone}",
            ),
        )
        for zone in fresh
    )
    return Reply(messages=(Message(words.say("location_unasked", emergency=emergency), rows),))


def render_resume(services: Services, patient: Patient, now: datetime) -> Message | None:
    """Return the word that a pause is over; None when there is no pause any more, or it still lasts."""
    return Message(services.content_for(patient).words.say("pause_over")) if _is_back(patient, now) else None


async def end_pause(store: Store, patient: Patient, now: datetime) -> None:
    """Forget a pause that is over, once that was said."""
    if _is_back(patient, now):
        await store.change_patient(patient.id, paused_until=None)


def _is_back(patient: Patient, now: datetime) -> bool:
    return patient.paused_until is not None and patient.paused_until <= patient.day_of(now)
