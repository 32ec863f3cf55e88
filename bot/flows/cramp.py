"""What to do right now, in few words, then one tap to file the episode."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.flows import numbers
from bot.flows.asking import drop_row, put_question, was_put
from bot.flows.escalation import raise_findings
from bot.flows.facts import circumstances, flags_of
from bot.flows.refusals import nobody, old_button
from bot.flows.schedule import current_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style, in_rows
from bot.model import Episode, Facts, Patient
from bot.rules.tips import NOTHING_KNOWN, withheld_techniques
from bot.rules.triage import judge
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

SIDES = ("left", "right", "both")
FIELDS = {"side": "side", "long": "longest"}  # what a button names, and the question it answers
LASTING = ("U13", "U1")  # what a cramp that will not let go may be, gravest first
LASTING_BECAUSE = "cramp"
HELP_FIRST = timedelta(seconds=5)  # the question comes behind what helps


async def now(services: Services, chat_id: int) -> Reply:
    """Answer /cramp: the release at once; with a suspected clot or an injury, what not to do instead."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        return Reply(messages=(await what_to_do(store, patient, content, services.clock()),))


async def what_to_do(store: Store, patient: Patient | None, content: Content, moment: datetime) -> Message:
    """Return the release of a cramp, or what not to do instead."""
    withheld = await _withheld(store, patient, content, moment)
    rows = _ask_rows(content, moment) if patient is not None and patient.is_enrolled else ()
    if "stretch" in withheld:
        return Message(_say(content, "cramp_withheld", patient, moment), rows)
    key = "cramp_now_no_rubbing" if "massage" in withheld else "cramp_now"
    return Message(content.words.say(key), rows, figure="cramp_release")


async def _withheld(
    store: Store, patient: Patient | None, content: Content, moment: datetime
) -> frozenset[str]:
    """Return the techniques that are wrong for a person now; of a stranger nothing is known."""
    if patient is None or not patient.is_enrolled:
        return withheld_techniques(content, NOTHING_KNOWN)
    at = await circumstances(store, patient, content, current_night(patient, moment), but_for=LASTING[0])
    return withheld_techniques(content, at)


def _say(content: Content, key: str, patient: Patient | None, moment: datetime) -> Html:
    today = patient.day_of(moment) if patient else moment.date()
    return content.words.say(key, emergency=numbers.emergency_block(content, patient, today))


def _ask_rows(content: Content, moment: datetime) -> Rows:
    words, at = content.words, int(moment.timestamp())
    return (
        (Button(words.plain("button_cramp_gone"), f"cr:file:{at}", Style.GOOD),),
        (Button(words.plain("button_cramp_on"), f"cr:on:{at}", Style.GRAVE),),
    )


async def file(services: Services, chat_id: int, asked_at: int, origin: str) -> Reply:
    """File one episode for the night it was asked about, once per message, and ask for its side."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(None))
        moment = _moment_of(services, asked_at)
        episode = await store.add_episode(patient.id, current_night(patient, moment), moment, origin)
        lasting = timedelta(minutes=services.content_for(patient).timing.cramp_lasts_minutes)
        if services.clock() - moment <= lasting:
            await _let_go_in_time(services, store, patient)
        return Reply(edit=_filed(services.content_for(patient), patient, episode))


def _moment_of(services: Services, asked_at: int) -> datetime:
    """Return when the cramp was asked about: never later than now."""
    now = services.clock()
    return datetime.fromtimestamp(asked_at, UTC) if 0 < asked_at <= now.timestamp() else now


def _filed(content: Content, patient: Patient, episode: Episode) -> Message:
    """Return the filed episode with what is told of it ticked."""
    at = content.words.time(episode.at.astimezone(patient.tz).time())
    return Message(content.words.say("cramp_filed", at=at), _detail_rows(content, episode))


def _detail_rows(content: Content, episode: Episode) -> Rows:
    def button(field: str, code: str, label: str, on: bool) -> Button:
        text = content.words.plain("chosen", label=label) if on else label
        return Button(text, f"cr:{field}:{episode.id}:{code}")

    names = content.question_words["side"].options
    sides = tuple(button("side", side, names[side], side == episode.side) for side in SIDES)
    lasted = content.question_words["longest"].options.items()
    spans = [button("long", code, label, code == episode.longest) for code, label in lasted]
    return (sides, *in_rows(spans, 2), (Button(content.words.plain("button_done"), f"cr:done:{episode.id}"),))


async def detail(services: Services, chat_id: int, episode_id: int, field: str, value: str) -> Reply:
    """Record the side or the length of a filed episode; a cramp that lasted too long is judged at once."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        found = await store.episode(episode_id)
        if patient is None or found is None or found[0] != patient.id:
            return old_button(content)
        episode = found[1]
        if field == "done":
            return Reply(edit=_thanks(content))
        name = FIELDS.get(field, "")
        if not name or value not in content.question_words[name].options:
            return old_button(content)
        await store.change_episode(episode_id, **{name: value})
        episode = replace(episode, side=value) if name == "side" else replace(episode, longest=value)
        if name == "longest":
            await _judge(services, store, patient, episode)
    told_all = episode.side is not None and episode.longest is not None
    return Reply(edit=_thanks(content) if told_all else _filed(content, patient, episode))


def _thanks(content: Content) -> Message:
    return Message(content.words.say("cramp_thanks"))


async def _judge(services: Services, store: Store, patient: Patient, episode: Episode) -> None:
    """Raise what a filed length stands for, once per episode; a short one answers what was asked."""
    content = services.content_for(patient)
    option = next(one for one in content.questions["longest"].options if one.code == episode.longest)
    if not option.signs:
        await _let_go_in_time(services, store, patient)
        return
    side = episode.side if episode.side in ("left", "right") else None
    facts = Facts(dict.fromkeys(option.signs, "yes"), await flags_of(store, patient), side=side)
    origin = f"episode:{episode.id}"
    await raise_findings(services, store, patient, judge(content, facts), episode.night, origin)


async def _let_go_in_time(services: Services, store: Store, patient: Patient) -> None:
    """Answer whether the cramp lasts; what else was asked while it did stays asked, if it was put at all."""
    for asking in await store.open_askings(patient.id):
        if asking.about_other or LASTING[0] not in asking.rules:
            continue
        if asking.because == LASTING_BECAUSE and not await was_put(store, asking):
            await store.answer_asking(asking.id, "no", services.clock())
        else:
            await drop_row(services, store, patient, asking, LASTING[0])


async def still_on(services: Services, chat_id: int, origin: str) -> Reply:
    """Answer "it will not let go": what to do now, and then the exact question of a cramp that lasts."""
    moment = services.clock()
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or patient.consent_at is None:
            return Reply(messages=(Message(_say(content, "cramp_on", None, moment)),))
        withheld = await _withheld(store, patient, content, moment)
        night = current_night(patient, moment)
        await put_question(
            services, store, patient, night, LASTING_BECAUSE, LASTING, False, origin, wait=HELP_FIRST
        )
    services.wake()
    key = "cramp_on_withheld" if "stretch" in withheld else "cramp_on"
    return Reply(messages=(Message(_say(content, key, patient, moment)),))
