"""What to do right now, in few words, then one tap to file the episode."""

from __future__ import annotations

from bot.flows import numbers
from bot.flows.escalation import put_question, raise_findings
from bot.flows.facts import circumstances, flags_of
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.model import Facts
from bot.rules.timing import night_at
from bot.rules.triage import judge
from bot.rules.tips import withheld_techniques
from content.loader import Content


async def now(services: Services, chat_id: int) -> Reply:
    """Answer /cramp: the release at once; with a suspected clot or an injury, what not to do instead."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return Reply(messages=(Message(content.words.say("cramp_now"), figure="cramp_release"),))
        moment = services.clock()
        night = night_at(moment, patient.times.prompt_at, patient.times.checkin_at, patient.tz)
        at = await circumstances(store, patient, content, night)
    if "stretch" in withheld_techniques(content, at):
        emergency = numbers.emergency_block(content, patient, moment.date())
        text = content.words.say("cramp_withheld", emergency=emergency)
        return Reply(messages=(Message(text, _ask_rows(content)),))
    return Reply(
        messages=(Message(content.words.say("cramp_now"), _ask_rows(content), figure="cramp_release"),)
    )


def _ask_rows(content: Content) -> Rows:
    words = content.words
    return (
        (Button(words.plain("button_cramp_gone"), "cr:file", Style.GOOD),),
        (Button(words.plain("button_cramp_on"), "cr:on", Style.GRAVE),),
    )


async def file(services: Services, chat_id: int, origin: str) -> Reply:
    """File one episode for this night, once per press, and ask for its side."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return Reply(notice=services.content(None).words.plain("notice_nobody"), alert=True)
        content = services.content_for(patient)
        moment = services.clock()
        night = night_at(moment, patient.times.prompt_at, patient.times.checkin_at, patient.tz)
        episode = await store.add_episode(patient.id, night, moment, origin)
    at = content.words.time(moment.astimezone(patient.tz).time())
    return Reply(edit=Message(content.words.say("cramp_filed", at=at), _side_rows(content, episode.id)))


def _side_rows(content: Content, episode: int) -> Rows:
    words = content.question_words["side"].options
    sides = tuple(Button(words[side], f"cr:side:{episode}:{side}") for side in ("left", "right", "both"))
    lasted = content.question_words["longest"].options
    return (sides, *((Button(label, f"cr:long:{episode}:{code}"),) for code, label in lasted.items()))


async def detail(services: Services, chat_id: int, episode_id: int, field: str, value: str) -> Reply:
    """Record the side or the length of a filed episode; over ten minutes is judged as a warning sign at once."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        words = content.words
        found = await store.episode(episode_id)
        if patient is None or found is None or found[0] != patient.id:
            return Reply(notice=words.plain("notice_old_button"), alert=True)
        episode = found[1]
        options = content.question_words["side" if field == "side" else "longest"].options
        if value not in options:
            return Reply(notice=words.plain("notice_old_button"), alert=True)
        await store.change_episode(episode_id, **{"side" if field == "side" else "longest": value})
        option = next((one for one in content.questions["longest"].options if one.code == value), None)
        if field != "side" and option is not None and option.signs:
            facts = Facts(signs=dict.fromkeys(option.signs, "yes"), flags=await flags_of(store, patient))
            await raise_findings(
                services, store, patient, judge(content, facts), episode.night, f"episode:{episode_id}"
            )
    if field == "side":
        return Reply(notice=words.plain("notice_noted"))
    return Reply(edit=Message(words.say("cramp_thanks")))


async def still_on(services: Services, chat_id: int, origin: str) -> Reply:
    """Answer "it will not let go": go on stretching, and the exact question of a cramp that lasts."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or patient.consent_at is None:
            emergency = numbers.emergency_block(content, None, services.clock().date())
            return Reply(messages=(Message(content.words.say("cramp_on", emergency=emergency)),))
        night = night_at(services.clock(), patient.times.prompt_at, patient.times.checkin_at, patient.tz)
        await put_question(services, store, patient, night, "cramp", ("U13", "U1"), False, origin)
    emergency = numbers.emergency_block(content, patient, services.clock().date())
    return Reply(messages=(Message(content.words.say("cramp_on", emergency=emergency)),))
