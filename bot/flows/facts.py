"""Gathers what is known of a patient into the plain values that rules judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from bot.flows.asking import codes_behind
from bot.flows.escalation import withheld_by
from bot.model import CheckIn, Facts, Patient
from bot.rules.hearing import flag_codes, sign_codes
from bot.rules.tips import Circumstances
from bot.rules.triage import withheld
from bot.storage.store import Store
from content.loader import Content
from content.schema import Timing


def signs_of(content: Content, checkin: CheckIn) -> dict[str, str]:
    """Return the signs that a night's answers stand for ("yes" or "unsure")."""
    found: dict[str, str] = {}
    for code, options in _answers(checkin).items():
        question = content.questions.get(code) if options else None
        for option in question.options if question else ():
            if option.code in options:
                for sign in option.signs:
                    found[sign] = checkin.signs.get(option.code, "yes") if code == "signs" else "yes"
    return found


def rows_of(content: Content, checkin: CheckIn) -> list[tuple[str, tuple[str, ...]]]:
    """Return (option code, rows it may be) for each answer that needs an exact question."""
    found = []
    for code, options in _answers(checkin).items():
        question = content.questions.get(code) if options else None
        for option in question.options if question else ():
            if option.code in options and option.rows:
                found.append((option.code, option.rows))  # noqa: PERF401  # three loops read better so
    return found


def _answers(checkin: CheckIn) -> dict[str, tuple[str, ...]]:
    return {
        "signs": tuple(checkin.signs),
        "feeling": checkin.feeling,
        "helped": checkin.helped,
        "longest": (checkin.longest,) if checkin.longest else (),
    }


async def flags_of(store: Store, patient: Patient) -> dict[str, bool]:
    """Return the answered profile questions as yes or no; what was never answered is absent."""
    return {flag: answer.yes for flag, answer in (await store.profile(patient.id)).items()}


def facts_of(
    content: Content,
    checkin: CheckIn | None,
    flags: Mapping[str, bool],
    more: Mapping[str, str] | None = None,
) -> Facts:
    """Return the facts of one night, with signs heard elsewhere added."""
    if checkin is None:
        return Facts(signs=dict(more or {}), flags=dict(flags))
    return Facts(
        signs={**(more or {}), **signs_of(content, checkin)},
        flags=dict(flags),
        feeling=frozenset(checkin.feeling),
        helped=frozenset(checkin.helped),
        pain=checkin.pain,
        side=checkin.side if checkin.side in ("left", "right") else None,
    )


def signs_since(timing: Timing, night: date) -> date:
    """Return the first of the nights whose signs still count on one night."""
    return night - timedelta(days=timing.sign_nights)


async def told_elsewhere(
    store: Store, patient: Patient, content: Content, night: date
) -> tuple[dict[str, str], dict[str, bool]]:
    """Return the signs and flags that no check-in tells: said in words, open these days, in the profile."""
    since = signs_since(content.timing, night)
    codes: list[str] = []
    for row in await store.open_escalations(patient.id):
        if not row.about_other and row.night >= since:
            codes += row.evidence
    for asking in await store.open_askings(patient.id):
        if not asking.about_other and asking.night >= since:
            codes += codes_behind(content, asking)
    signs = {sign: "yes" for sign in sign_codes(codes) if sign in content.signs}
    said = {flag: True for flag in flag_codes(codes) if flag in content.profile}
    return signs, {**said, **await flags_of(store, patient)}


async def known_facts(
    store: Store, patient: Patient, content: Content, night: date, checkin: CheckIn | None
) -> Facts:
    """Return all that is known for one night: answers, profile, and what was said in words these days."""
    signs, flags = await told_elsewhere(store, patient, content, night)
    return facts_of(content, checkin, flags, signs)


async def circumstances(
    store: Store, patient: Patient, content: Content, night: date, but_for: str = ""
) -> Circumstances:
    """Return what gates tonight's tips: profile, the last nights' signs, red flags open or asked about.

    A question that asks about the row *but_for* does not count.
    """
    nights = await store.diary(patient.id, signs_since(content.timing, night), night)
    signs: set[str] = set()
    helped: set[str] = set()
    for checkin in nights:
        signs |= signs_of(content, checkin).keys()
        helped |= set(checkin.helped)
    return Circumstances(
        flags=await flags_of(store, patient),
        signs=frozenset(signs),
        helped=frozenset(helped),
        withheld=withheld_by(content, await store.open_escalations(patient.id))
        | withheld(content, await _asked(store, patient, but_for)),
    )


async def _asked(store: Store, patient: Patient, but_for: str) -> list[str]:
    """The rows of the patient's own that wait for an answer: in doubt nothing is done that they forbid."""
    return [
        rule
        for asking in await store.open_askings(patient.id)
        if not asking.about_other and but_for not in asking.rules
        for rule in asking.rules
    ]
