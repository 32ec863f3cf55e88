"""A blind set: messages by somebody who never saw the vocabulary, reported apart from our own cases.

It was measured before anything was changed for it (emergencies at once: A 78, B 85 of 100). Part A, chosen
by a hash of the id, was then looked at and part B was not, so only part B still says how strangers fare. The
floors are what is reached, a guard against a step back; the aim is 97 at once, 3 alarmed, nobody met with
silence, and it is not reached on part B.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bot.model import Facts
from bot.rules.hearing import listen
from content.loader import Content, load
from content.schema import Level

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "blind" / "messages.jsonl").read_text().splitlines()
]
PART_A = 60  # of 100
FLOORS = {  # part: emergencies at once, urgent at once, harmless alarmed at most, the others asked at most
    "A": (0.97, 0.95, 0.03, 0.20),
    "B": (0.89, 0.84, 0.09, 0.39),
}


SILENT = {"A": 0, "B": 5}  # emergency and urgent cases met with nothing at all: none is the aim


def part_of(case: dict[str, object]) -> str:
    digest = hashlib.sha256(str(case["id"]).encode()).hexdigest()
    return "A" if int(digest, 16) % 100 < PART_A else "B"


@pytest.fixture(scope="module")
def content() -> Content:
    return load("en")


def heard(content: Content, case: dict[str, object]) -> tuple[Level, bool]:
    """The level of what is certain, and whether anything is asked."""
    profile = case.get("profile") or {}
    assert isinstance(profile, dict)
    found = listen(content, str(case["text"]), Facts(flags=dict.fromkeys(profile.get("flags", ()), True)))
    findings = (*found.own.raised, *found.own.lower, *found.other.raised, *found.other.lower)
    asked = bool(found.own.asks or found.other.asks) or found.reading.is_open
    return max([Level.NONE, *(finding.level for finding in findings)]), asked


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


@pytest.mark.parametrize("part", ["A", "B"])
def test_the_blind_set_is_read_as_well_as_it_was(content: Content, part: str) -> None:
    emergencies, urgent, alarmed, asked = FLOORS[part]
    mine = [case for case in CASES if part_of(case) == part]
    levels = {case["id"]: heard(content, case) for case in mine}

    def of(expected: str) -> list[tuple[Level, bool]]:
        return [levels[case["id"]] for case in mine if case["expected"] == expected]

    assert share([level >= Level.EMERGENCY for level, _ in of("emergency")]) >= emergencies
    assert share([level >= Level.URGENT for level, _ in of("urgent")]) >= urgent
    harmless = [(case, *levels[case["id"]]) for case in mine if case["expected"] == "none"]
    assert (
        share([level >= Level.URGENT and level.code not in case["acceptable"] for case, level, _ in harmless])
        <= alarmed
    )
    assert share([asks for _, level, asks in harmless if level < Level.URGENT]) <= asked


@pytest.mark.parametrize("part", ["A", "B"])
def test_no_emergency_is_met_with_silence(content: Content, part: str) -> None:
    silent = [
        case["id"]
        for case in CASES
        if part_of(case) == part and case["expected"] in ("emergency", "urgent")
        for level, asked in [heard(content, case)]
        if level < Level.SOON and not asked
    ]
    assert len(silent) <= SILENT[part], silent
