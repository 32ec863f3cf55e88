"""What is remembered: when a finding speaks, how long it stays in force, what settles it, when it rings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.model import Escalation, Finding, Outcome
from bot.rules.memory import (
    Happened,
    Memory,
    Told,
    advance,
    follow_up_is_due,
    in_force,
    level_in_force,
    matter_of,
    may_be_said_again,
)
from content.schema import Level
from tests.replays import content

START = date(2026, 3, 1)


def at(day: int) -> date:
    return START + timedelta(days=day)


def finding(rule: str, *evidence: str, side: str | None = None, level: Level | None = None) -> Finding:
    shape = content().rules[rule]
    return Finding(rule, level or shape.level, shape.topic, side, evidence)


class Person:
    """One memory, day after day."""

    def __init__(self) -> None:
        self.memory = Memory()

    def day(self, day: int, *findings: Finding, logged: bool = True, edit: bool = False, **came: Any) -> Told:
        outcomes = {subject: Outcome(outcome) for subject, outcome in came.items()}
        told = advance(content(), self.memory, Happened(at(day), findings, logged, outcomes, edit))
        self.memory = told.memory
        return told


def _came(rule: str, outcome: str) -> dict[str, Any]:
    return {content().rules[rule].topic: outcome}


@pytest.fixture
def person() -> Person:
    return Person()


SWOLLEN = finding("U1", "sign:leg_swollen", side="left")
OTHER_LEG = finding("U1", "sign:leg_swollen", side="right")
VEIN = finding("U15", "sign:vein_inflamed")
CHEST = finding("E1", "sign:chest_pain")
COLD = finding("E3", "sign:foot_cold")
SEVERE = finding("P7", "pain_from:7")
TIRED = finding("P5", "tired:lot")


def test_what_is_new_is_told_once(person: Person) -> None:
    assert person.day(1, SEVERE).rules == ("P7",)
    assert person.day(2, SEVERE).rules == ()
    assert person.day(3, SEVERE).level is Level.SOON


def test_soon_is_asked_about_after_a_week_and_routine_after_two(person: Person) -> None:
    person.day(1, SEVERE, TIRED)
    told = {day: person.day(day, SEVERE, TIRED).rules for day in range(2, 17)}
    assert {day: rules for day, rules in told.items() if rules} == {8: ("P7",), 15: ("P7", "P5")}


@pytest.mark.parametrize(("rule", "lasts", "level"), [("P7", 7, Level.SOON), ("P5", 14, Level.ROUTINE)])
def test_a_pattern_stays_some_days_after_it_was_last_met(
    person: Person, rule: str, lasts: int, level: Level
) -> None:
    person.day(1, finding(rule))
    assert level_in_force(content(), person.memory, at(1 + lasts)) is level
    assert level_in_force(content(), person.memory, at(2 + lasts)) is Level.NONE


@pytest.mark.parametrize("rule", ["U1", "U13", "E1", "E3", "E23", "P2", "P13"])
def test_urgent_and_emergency_stay_until_seen(person: Person, rule: str) -> None:
    person.day(1, finding(rule))
    for day in range(2, 40):
        assert person.day(day, logged=False).level is content().rules[rule].level
    assert person.day(40, **_came(rule, "seen")).level is Level.NONE


def test_an_urgent_leg_sign_that_has_gone_is_soon(person: Person) -> None:
    person.day(1, VEIN)
    assert person.day(2).level is Level.URGENT
    assert person.day(3, logged=False).level is Level.URGENT
    assert person.day(4).level is Level.SOON
    assert person.day(60).level is Level.SOON
    assert person.day(61, VEIN) == Told(person.memory, ("U15",), Level.URGENT)


@pytest.mark.parametrize("rule", ["U1", "U2", "U3", "U17", "E3"])
def test_rows_that_stay_do_not_go_by_themselves(person: Person, rule: str) -> None:
    person.day(1, finding(rule, "sign:leg_swollen"))
    for day in range(2, 12):
        assert person.day(day).level is content().rules[rule].level


def test_a_fresh_grave_report_always_speaks(person: Person) -> None:
    assert person.day(1, SWOLLEN).rules == ("U1",)
    assert person.day(4, SWOLLEN).rules == ("U1",)
    assert person.day(5).rules == ("U1",)  # the follow-up of the fourth day
    assert person.day(7).rules == ()


def test_the_other_leg_and_a_higher_level_speak(person: Person) -> None:
    person.day(1, SWOLLEN)
    assert person.day(2, OTHER_LEG).rules == ("U1",)
    assert person.day(3, finding("E2", "sign:leg_swollen", "sign:chest_pain")).rules[0] == "E2"


def test_nothing_lower_is_said_while_something_grave_is_open(person: Person) -> None:
    person.day(1, CHEST)
    assert person.day(2, SEVERE).rules == ("E1",)  # the next morning's follow-up, alone
    assert person.day(3, SEVERE).rules == ()
    assert person.day(4, SEVERE, lung_clot="seen").rules == ("E1",)
    assert person.day(5, SEVERE).rules == ("P7",)  # what had to wait


def test_settled_is_quiet_for_the_same_and_rings_when_back(person: Person) -> None:
    person.day(1, SEVERE)
    assert person.day(2, SEVERE, severe_nights="seen").level is Level.NONE
    assert person.day(3, SEVERE).rules == ()
    assert person.day(4).level is Level.NONE
    assert person.day(5, SEVERE) == Told(person.memory, ("P7",), Level.SOON)


def test_settled_rings_for_something_new(person: Person) -> None:
    person.day(1, VEIN)
    person.day(2, VEIN, inflamed_vein="seen")
    assert person.day(3, VEIN).rules == ()
    assert person.day(4, finding("U15", "sign:vein_inflamed", "sign:fever")).rules == ("U15",)


def test_an_emergency_rings_at_every_new_report(person: Person) -> None:
    person.day(1, CHEST)
    assert person.day(2, CHEST, lung_clot="seen").level is Level.NONE
    assert person.day(3, CHEST) == Told(person.memory, ("E1",), Level.EMERGENCY)


def test_booked_settles_soon_and_not_what_is_urgent(person: Person) -> None:
    person.day(1, SEVERE, SWOLLEN)
    told = person.day(2, severe_nights="booked", leg_clot="booked")
    assert told.level is Level.URGENT
    assert [one.rule for one in told.memory.matters if one.settled_on] == ["P7"]


def test_known_to_the_doctor_is_for_lower_matters_only(person: Person) -> None:
    person.day(1, TIRED, CHEST)
    told = person.day(2, tired_days="known", lung_clot="known")
    assert told.level is Level.EMERGENCY
    assert [one.rule for one in told.memory.matters if one.settled_on] == ["P5"]


def test_seen_about_everything(person: Person) -> None:
    person.day(1, SEVERE, CHEST)
    assert person.day(2, all="seen").level is Level.NONE


def test_what_is_taken_back_is_believed_after_a_clear_check_in(person: Person) -> None:
    person.day(1, COLD)
    assert person.day(1, edit=True).level is Level.EMERGENCY
    assert person.day(2, logged=False).level is Level.EMERGENCY
    assert person.day(3).level is Level.NONE


def test_chest_stroke_head_and_overdose_need_two_clear_days(person: Person) -> None:
    person.day(1, CHEST)
    person.day(1, edit=True)
    assert person.day(2).level is Level.EMERGENCY
    assert person.day(3).level is Level.NONE


def test_a_lower_matter_of_a_replaced_entry_was_never_there(person: Person) -> None:
    person.day(1, SEVERE)
    assert person.day(1, edit=True).memory.matters == ()


def test_a_doubted_matter_that_is_reported_again_stands(person: Person) -> None:
    person.day(1, COLD)
    person.day(1, edit=True)
    person.day(2, COLD)
    assert person.day(3).level is Level.EMERGENCY


def test_questions_and_kind_words_have_days_of_silence(person: Person) -> None:
    asked = {day: person.day(day, finding("P7b")).rules for day in range(1, 9)}
    assert [day for day, rules in asked.items() if rules] == [1, 8]
    assert person.day(9, finding("P22")).rules == ("P22",)
    assert person.day(10, finding("P22")).rules == ()


def test_no_kind_word_beside_something_grave(person: Person) -> None:
    assert person.day(1, finding("P22"), CHEST).rules == ("E1",)


def test_two_patterns_of_one_topic_have_one_card(person: Person) -> None:
    assert person.day(1, finding("P8")).rules == ("P8",)
    assert person.day(2, finding("P8"), finding("P8b")).rules == ()


def test_a_silent_pattern_leaves_the_word_to_the_other(person: Person) -> None:
    assert person.day(1, finding("P3"), finding("P4")).rules == ("P4",)


def test_cool_down_and_follow_ups_come_from_the_lifecycles() -> None:
    soon, urgent = content().lifecycles["soon"], content().lifecycles["urgent"]
    assert next(day for day in range(1, 20) if may_be_said_again(soon, at(1), at(day))) == 8
    due = [day for day in range(1, 60) if follow_up_is_due(urgent, at(0), at(day))]
    assert due == [1, 2, 4, 7, 14, 21, 28]


def test_a_stored_escalation_is_a_matter() -> None:
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    row = Escalation(
        id=1,
        patient_id=1,
        rule="U15",
        level=Level.URGENT,
        topic="inflamed_vein",
        side="left",
        about_other=False,
        night=at(0),
        evidence=("sign:vein_inflamed", "night:2026-03-01"),
        content_version="",
        words="",
        raised_at=now,
        told_at=now,
        acknowledged_at=None,
        closed_at=None,
        outcome=None,
    )
    assert in_force(content(), matter_of(row, at(0), absent=1), at(2)) is Level.URGENT
    assert in_force(content(), matter_of(row, at(0), absent=2), at(2)) is Level.SOON
    assert matter_of(row, at(0), absent=0).evidence == {"sign:vein_inflamed"}
