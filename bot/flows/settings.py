"""The patient's own choices: times, zone, country, quiet hours, sound, a pause with its return."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.flows import enrolment
from bot.flows.schedule import plan_all
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows
from bot.model import Kind, Patient
from bot.rules import places
from bot.rules.clock_words import read_date, read_time
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

PAGES = ("prompt", "checkin", "zone", "country", "quiet", "pause")
FURTHEST_PAUSE = timedelta(days=366)


async def show(services: Services, chat_id: int, in_place: bool = False) -> Reply:
    """Answer /settings: what stands, and a button for each thing that can be changed."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or not patient.is_enrolled:
            return Reply(messages=(Message(services.content(None).words.say("not_enrolled")),))
        if patient.expecting.startswith("set:"):
            patient = await store.change_patient(patient.id, expecting="")
    message = overview(services.content_for(patient), patient, services.clock())
    return Reply(edit=message) if in_place else Reply(messages=(message,))


def overview(content: Content, patient: Patient, now: datetime) -> Message:
    """Return the settings as they stand."""
    words, times = content.words, patient.times
    text = words.say(
        "settings",
        prompt=words.time(times.prompt_at),
        checkin=words.time(times.checkin_at),
        quiet=words.say("span", start=words.time(times.quiet_from), end=words.time(times.quiet_until)),
        zone=places.zone_label(patient.zone or "UTC", content.language),
        clock=words.time(now.astimezone(patient.tz).time()),
        country=places.country_name(patient.country, content.language)
        if patient.country
        else words.say("country_unknown"),
        sound=words.say("sound_off" if patient.silent else "sound_on"),
        state=_state(content, patient),
    )
    rows: list[tuple[Button, ...]] = [
        (_page_button(content, "prompt"), _page_button(content, "checkin")),
        (_page_button(content, "zone"), _page_button(content, "country")),
        (
            _page_button(content, "quiet"),
            Button(words.plain("set_sound"), f"se:sound:{'on' if patient.silent else 'off'}"),
        ),
    ]
    if patient.paused_until or patient.stopped_at:
        rows.append((Button(words.plain("button_resume"), "se:resume:now"),))
    else:
        rows.append((_page_button(content, "pause"),))
    rows.append((Button(words.plain("set_profile"), "pr:a:start:go"),))
    return Message(text, tuple(rows))


def _page_button(content: Content, page: str) -> Button:
    return Button(content.words.plain(f"set_{page}"), f"se:page:{page}")


def _state(content: Content, patient: Patient) -> Html:
    words = content.words
    if patient.stopped_at:
        return words.say("state_stopped")
    if patient.paused_until:
        return words.say("state_paused", day=words.day(patient.paused_until))
    return words.say("state_on")


async def press(services: Services, chat_id: int, what: str, value: str) -> Reply:
    """Take one settings button: a page to open, or a value to set."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or not patient.is_enrolled:
            return Reply(notice=services.content(None).words.plain("notice_nobody"), alert=True)
        content = services.content_for(patient)
        if what == "where":
            await store.change_patient(patient.id, expecting="set:zone")
            return enrolment.location_request(content)
        if what == "page":
            if value not in PAGES:
                return Reply(edit=overview(content, patient, services.clock()))
            await store.change_patient(patient.id, expecting=f"set:{value}")
            return Reply(edit=_page(services, content, patient, value))
        changed = await apply(services, store, patient, what, value)
        if changed is None:
            return Reply(notice=content.words.plain("notice_old_button"), alert=True)
        return Reply(
            edit=overview(content, changed, services.clock()), notice=content.words.plain("notice_saved")
        )


def _page(services: Services, content: Content, patient: Patient, page: str) -> Message:
    shown = {
        "country": lambda: enrolment.country_page(services, content, "se"),
        "zone": lambda: enrolment.zone_page(content, patient.country, "se"),
        "prompt": lambda: enrolment.time_page(content, "prompt", "se"),
        "checkin": lambda: enrolment.time_page(content, "checkin", "se"),
        "quiet": lambda: _quiet_page(content),
        "pause": lambda: _pause_page(content, services.clock().astimezone(patient.tz).date()),
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
    words = content.words
    rows = tuple(
        (Button(words.plain("pause_days", n=days), f"se:pause:{(today + timedelta(days=days)).isoformat()}"),)
        for days in content.timing.pause_choices_days
    )
    return Message(words.say("ask_pause"), rows)


async def apply(services: Services, store: Store, patient: Patient, what: str, value: str) -> Patient | None:
    """Write one setting and plan what follows from it; None when the value makes no sense."""
    fields = _fields(what, value, services.clock().astimezone(patient.tz).date())
    if fields is None:
        return None
    if what == "country" and value != "skip":
        zones = places.zones_of(value.upper())
        if len(zones) == 1:
            fields["zone"] = zones[0]
    patient = await store.change_patient(patient.id, expecting="", **fields)
    await plan_all(store, patient, services.content_for(patient).timing, services.clock())
    if what == "pause" and patient.paused_until:
        midday = datetime.combine(patient.paused_until, patient.times.checkin_at, patient.tz)
        await store.plan(patient.id, Kind.RESUME, patient.paused_until.isoformat(), 0, midday)
    services.wake()
    return patient


def _fields(what: str, value: str, today: date) -> dict[str, object] | None:
    if what == "country":
        code = None if value == "skip" else value.upper()
        return {"country": code} if code is None or places.is_country(code) else None
    if what == "zone":
        return {"zone": value} if places.is_zone(value) else None
    if what in ("prompt", "checkin"):
        at = clock_of(value)
        return {f"{what}_at": at} if at else None
    if what == "quiet":
        start, _, end = value.partition("-")
        span = clock_of(start), clock_of(end)
        return {"quiet_from": span[0], "quiet_until": span[1]} if None not in span else None
    if what == "sound":
        return {"silent": value == "off"}
    if what == "resume":
        return {"paused_until": None, "stopped_at": None}
    if what == "pause":
        until = _date_of(value)
        return {"paused_until": until} if until and today < until <= today + FURTHEST_PAUSE else None
    return None


def clock_of(value: str) -> time | None:
    """Return the time four digits stand for ("2130"); None for nonsense."""
    if len(value) != 4 or not value.isdigit():
        return None
    hour, minute = int(value[:2]), int(value[2:])
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _date_of(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


async def typed(services: Services, store: Store, patient: Patient, what: str, text: str) -> Reply:
    """Take a typed value for the settings page that is open; say what would be understood if it was not."""
    content = services.content_for(patient)
    found = _understood(content, patient, what, text, services.clock())
    if isinstance(found, Message):
        rows = tuple(tuple(Button(b.text, f"se{b.press[2:]}") for b in row) for row in found.rows)
        return Reply(messages=(Message(found.text, rows),))
    changed = await apply(services, store, patient, what, found) if found else None
    if changed is None:
        lead = content.words.say(f"not_understood_{what}", text=text[:40])
        page = _page(services, content, patient, what)
        return Reply(messages=(Message(Html(f"{lead}\n\n{page.text}"), page.rows),))
    return Reply(messages=(overview(content, changed, services.clock()),))


def _understood(
    content: Content, patient: Patient, what: str, text: str, now: datetime
) -> str | Message | None:
    if what == "pause":
        until = read_date(text, now.astimezone(patient.tz).date(), content.clock)
        return until.isoformat() if until else None
    if what == "quiet":
        start, end = _span(content, text)
        return f"{start:%H%M}-{end:%H%M}" if start and end else None
    return enrolment.understand(content, patient, what, text, now)


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


async def located(services: Services, chat_id: int, zones: list[str]) -> Reply:
    """Take the zone found for a shared location, in enrolment or settings; the place itself is not kept."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or patient.consent_at is None:
            return Reply(messages=(Message(content.words.say("not_enrolled")),))
        known = [zone for zone in zones if places.is_zone(zone)]
        if not known:
            return Reply(messages=(Message(content.words.say("location_unknown"), keyboard="remove"),))
        if len(known) > 1:
            area = "se" if patient.step == "done" else "en"
            rows = tuple(
                (Button(places.zone_label(zone, content.language), f"{area}:zone:{zone}"),) for zone in known
            )
            gone = Message(content.words.say("location_dropped"), keyboard="remove")
            return Reply(messages=(gone, Message(content.words.say("which_one"), rows)))
        gone = Message(content.words.say("location_dropped"), keyboard="remove")
        if patient.step != "done":
            accepted = await enrolment.accept(services, store, patient, "zone", known[0])
            if accepted is None:
                return Reply(messages=(gone,))
            lead = enrolment.accepted_words(content, accepted, "zone")
            return Reply(
                messages=(gone, enrolment.step_page(services, content, accepted, services.clock(), lead))
            )
        changed = await apply(services, store, patient, "zone", known[0])
        return Reply(messages=(gone, overview(content, changed or patient, services.clock())))


async def render_resume(services: Services, store: Store, patient: Patient, now: datetime) -> Message | None:
    """Return the word that a pause is over; None when there is no pause any more."""
    if patient.paused_until is None or patient.paused_until > now.astimezone(patient.tz).date():
        return None
    await store.change_patient(patient.id, paused_until=None)
    return Message(services.content_for(patient).words.say("pause_over"))
