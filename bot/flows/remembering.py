"""What was raised before, as the rules remember it: a stored escalation becomes a matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot.flows.schedule import ended_night
from bot.model import CheckIn, Escalation, Patient
from bot.rules.memory import Matter, Memory, matter_of
from bot.storage.store import Store
from content.loader import Content

GONE, CORRECTED, SUPERSEDED = "gone", "mistap", "superseded"
MET = "met"  # the event of a fresh report of what stands; its detail: the night
LOOKS_BACK = timedelta(days=28)  # for when a matter was last met; advice stays in force for less


def remembered(patient: Patient, row: Escalation, met_on: date, absent: int) -> Matter:
    """Return an escalation as a matter; it was last met on a night, and `absent` logged nights came since."""
    matter = matter_of(row, met_on, absent)
    told_on = ended_night(patient, row.told_at) if row.told_at else None
    if row.outcome == SUPERSEDED:  # something higher speaks for it: told, and not settled
        return replace(matter, told_on=told_on or row.night, settled_on=None, goes_on=False)
    settled_on = ended_night(patient, row.closed_at) if row.closed_at else None
    goes_on = matter.goes_on and row.outcome not in (GONE, CORRECTED)
    return replace(matter, told_on=told_on, settled_on=settled_on, goes_on=goes_on)


async def remember_red_flags(store: Store, patient: Patient, content: Content, on: date) -> Memory:
    """Return the patient's own matters as they stood before one night, by what the nights named of each."""
    rows = [
        row
        for row in await store.escalations(patient.id)
        if not row.about_other and row.outcome != CORRECTED  # what was taken back has said nothing
    ]
    latest = {(row.rule, row.side): row for row in rows if row.rule in content.rules}
    before = on - timedelta(days=1)
    told = [
        one for one in await store.diary(patient.id, on - LOOKS_BACK, before) if one.is_logged or one.signs
    ]
    matters = []
    for row in latest.values():
        nights = [one.night for one in told if _names(content, one, row)]
        for event in await store.events(row.id):
            nights += [date.fromisoformat(event.detail)] if event.what == MET else []
        met_on = max((row.night, *(night for night in nights if night <= before)))
        matters.append(remembered(patient, row, met_on, sum(one.night > met_on for one in told)))
    return Memory(tuple(matters))


def _names(content: Content, checkin: CheckIn, row: Escalation) -> bool:
    """Return whether a night's answers hold all that a matter rested on."""
    options = {option.code: option for option in content.questions["signs"].options}
    signs = {sign for code in checkin.signs if code in options for sign in options[code].signs}
    said = {*(f"sign:{sign}" for sign in signs), *(f"feeling:{one}" for one in checkin.feeling)}
    said |= {f"helped:{one}" for one in checkin.helped}
    rests = {code for code in row.evidence if code.startswith(("sign:", "feeling:", "helped:"))}
    return bool(rests) and rests <= said
