"""When a red flag speaks, is repeated, asked about and let go: pure functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.model import Escalation, Finding, Times
from bot.rules.lifecycle import (
    Speaks,
    after_waking,
    follow_up_at,
    is_gone,
    next_follow_up,
    next_repeat,
    repeat_at,
    replaces,
    speaks,
    together,
)
from content.loader import load
from content.schema import Level

CYCLES = load().lifecycles
LONDON = ZoneInfo("Europe/London")
TIMES = Times(time(20, 30), time(8, 30), time(22), time(7))
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NIGHT = date(2026, 11, 20)
U1 = Finding("U1", Level.URGENT, "leg_clot", None, ("sign:leg_swollen",))
E1 = Finding("E1", Level.EMERGENCY, "lung_clot", None, ("sign:chest_pain",))
E2 = Finding("E2", Level.EMERGENCY, "lung_clot", None, ("sign:leg_swollen", "sign:chest_pain"))


def standing(finding: Finding, **changes: object) -> Escalation:
    row = Escalation(
        1, 1, finding.rule, finding.level, finding.topic, finding.side, False, NIGHT, finding.evidence,
        "v", "", NOW, NOW, None, None, None,
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


def test_what_a_higher_finding_rests_on_is_covered() -> None:
    assert together([U1, E2]) == [E2]
    assert together([E1, U1]) == [E1, U1]
    assert together([replace(U1, evidence=()), E2]) == [E2, replace(U1, evidence=())]


def test_a_higher_finding_replaces_what_it_rests_on() -> None:
    assert replaces(E2, standing(U1), False)
    assert not replaces(E1, standing(U1), False)
    assert not replaces(E2, standing(U1, about_other=True), False)
    assert not replaces(E2, standing(U1, evidence=()), False)


@pytest.mark.parametrize(
    ("finding", "old", "expected"),
    [
        (U1, None, Speaks.CARD),
        (U1, standing(U1), Speaks.SHORT),
        (U1, standing(U1, night=date(2026, 11, 19)), Speaks.CARD),
        (U1, standing(U1, night=date(2026, 11, 19), acknowledged_at=NOW), Speaks.SHORT),
        (U1, standing(E2), Speaks.SHORT),
        (E2, standing(U1, acknowledged_at=NOW), Speaks.CARD),
        (E1, standing(U1, acknowledged_at=NOW), Speaks.CARD),
        (replace(U1, side="left"), standing(U1, side="right", acknowledged_at=NOW), Speaks.CARD),
        (replace(U1, side="left"), standing(U1, acknowledged_at=NOW), Speaks.CARD),
        (U1, standing(U1, side="right", acknowledged_at=NOW), Speaks.SHORT),
        (
            replace(U1, evidence=(*U1.evidence, "sign:leg_hot")),
            standing(U1, acknowledged_at=NOW),
            Speaks.CARD,
        ),
        (U1, standing(U1, about_other=True), Speaks.CARD),
    ],
)
def test_when_a_grave_finding_speaks(finding: Finding, old: Escalation | None, expected: Speaks) -> None:
    assert speaks(finding, [old] if old else [], NIGHT, False) is expected


def test_emergency_repeats_and_what_an_outage_swallowed() -> None:
    cycle = CYCLES["emergency"]
    repeats = [repeat_at(cycle, NOW, step, TIMES, LONDON) for step in range(1, 6)]
    assert repeats == [*(NOW + timedelta(minutes=one) for one in (5, 15, 60, 180)), None]
    assert next_repeat(cycle, NOW, 1, NOW, TIMES, LONDON) == (1, NOW + timedelta(minutes=5))
    assert next_repeat(cycle, NOW, 2, NOW + timedelta(minutes=20), TIMES, LONDON) == (
        3,
        NOW + timedelta(hours=1),
    )
    assert next_repeat(cycle, NOW, 1, NOW + timedelta(days=2), TIMES, LONDON) is None


def test_urgent_repeats_keep_out_of_the_night() -> None:
    evening = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    cycle = CYCLES["urgent"]
    at = [repeat_at(cycle, evening, step, TIMES, LONDON) for step in range(1, 5)]
    assert at == [
        datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        None,
    ]
    none = replace(TIMES, quiet_from=time(0), quiet_until=time(0))
    assert after_waking(evening, timedelta(hours=4), none, LONDON) == evening + timedelta(hours=4)


def test_follow_ups_thin_out_and_end() -> None:
    cycle = CYCLES["urgent"]
    days = []
    for step in range(12):
        at = follow_up_at(cycle, NOW, step, TIMES, LONDON)
        if at is None:
            break
        days.append((at.date() - NOW.date()).days)
    assert days == [1, 2, 4, 7, 14, 21, 28]
    assert next_follow_up(cycle, NOW, 0, NOW + timedelta(days=3), TIMES, LONDON) == (
        2,
        datetime(2026, 11, 25, 8, 30, tzinfo=UTC),
    )


def test_the_next_morning_is_not_half_an_hour_away() -> None:
    early = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    night = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    assert follow_up_at(CYCLES["emergency"], early, 0, TIMES, LONDON) == datetime(
        2026, 11, 22, 8, 30, tzinfo=UTC
    )
    assert follow_up_at(CYCLES["emergency"], night, 0, TIMES, LONDON) == datetime(
        2026, 11, 21, 8, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("nights", "gone"),
    [
        ([{}, {}], True),
        ([{}], False),
        ([], False),
        ([{}, {"leg_swollen": "yes"}, {}], False),
        ([{}, {}, {}], True),
    ],
)
def test_a_sign_is_gone_after_enough_logged_nights(nights: list[dict[str, str]], gone: bool) -> None:
    assert is_gone(standing(U1), CYCLES["urgent"], nights) is gone
    assert not is_gone(standing(U1), CYCLES["emergency"], nights)
