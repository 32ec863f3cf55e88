"""Blind sets: messages by writers who saw the clinical rows alone, of which nobody has read one since.

Nothing was changed for any of them: phrases, meanings and examples come from other messages, and the weights
of rules/likeness.toml were fitted on those, its thresholds chosen with these counts in sight. So they say how
strangers fare, a little kindly. The floors are the aims: 97 of 100 emergencies at once, 3 of 100 harmless
ones alarmed, and nobody in danger met with silence.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.model import Facts
from bot.rules.hearing import listen
from content.loader import Content, load
from content.schema import Level

CASES = [
    json.loads(line)
    for file in sorted((Path(__file__).parent / "cases" / "blind").glob("messages*.jsonl"))
    for line in file.read_text().splitlines()
]
GRAVE = ("emergency", "urgent")
AT_ONCE = {"emergency": 0.97, "urgent": 0.93}
ALARMED, ASKED = 0.03, 0.27  # of the harmless, at most


@pytest.fixture(scope="module")
def heard() -> dict[str, tuple[Level, bool]]:
    content = load("en")
    return {str(case["id"]): level_of(content, case) for case in CASES}


def level_of(content: Content, case: dict[str, object]) -> tuple[Level, bool]:
    """The level of what is certain, and whether anything is asked."""
    profile = case.get("profile") or {}
    assert isinstance(profile, dict)
    found = listen(content, str(case["text"]), Facts(flags=dict.fromkeys(profile.get("flags", ()), True)))
    findings = (*found.own.raised, *found.own.lower, *found.other.raised, *found.other.lower)
    asked = bool(found.own.asks or found.other.asks) or found.is_open
    return max([Level.NONE, *(finding.level for finding in findings)]), asked


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def expecting(level: str) -> list[str]:
    return [str(case["id"]) for case in CASES if case["expected"] == level]


@pytest.mark.parametrize("level", GRAVE)
def test_strangers_in_danger_are_understood_at_once(heard: dict[str, tuple[Level, bool]], level: str) -> None:
    least = Level[level.upper()]
    assert share([heard[case][0] >= least for case in expecting(level)]) >= AT_ONCE[level]


def test_no_stranger_in_danger_is_met_with_silence(heard: dict[str, tuple[Level, bool]]) -> None:
    grave = [case for level in GRAVE for case in expecting(level)]
    silent = [case for case in grave if heard[case][0] < Level.SOON and not heard[case][1]]
    assert silent == []


def test_few_strangers_are_alarmed_or_asked_for_nothing(heard: dict[str, tuple[Level, bool]]) -> None:
    harmless = [heard[case] for case in expecting("none")]
    assert share([level >= Level.URGENT for level, _ in harmless]) <= ALARMED
    assert share([asks for level, asks in harmless if level < Level.URGENT]) <= ASKED
