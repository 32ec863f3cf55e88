"""The whole siege: thousands of sendings, a hundred kills, a night in which the clocks go back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fault.replica_siege import ReplicaSiege
from tests.fault.siege import Counts, Plan, Siege

# SIEGE="seed=2,kills=10,sendings=500" changes it.
CHANGES = {
    name: int(value)
    for name, value in (each.split("=") for each in os.environ.get("SIEGE", "").split(",") if each)
}
PLAN = Plan(**CHANGES)  # type: ignore[arg-type]


def holds(counts: Counts) -> None:
    """The promises: safety at least once, prompts at most once, nothing that a patient said is lost."""
    assert counts.cards_lost == 0
    assert counts.prompts_twice == 0
    assert counts.prompts_lost == 0
    assert counts.answers_lost == 0
    assert counts.updates_lost == counts.updates_undone == 0
    assert counts.left_over == 0
    assert counts.without_next == 0


@pytest.mark.fault
async def test_every_promise_holds_through_a_hundred_kills(tmp_path: Path) -> None:
    counts = await Siege(tmp_path, PLAN).run()
    print(f"\nThe siege ({PLAN}):\n{counts}")
    holds(counts)


@pytest.mark.fault
@pytest.mark.postgres
async def test_every_promise_holds_for_three_replicas_killed_and_stopped(
    tmp_path: Path, postgres_database: str
) -> None:
    plan = Plan(**{"kills": 45, "sendings": 1800, **CHANGES})  # type: ignore[arg-type]
    siege = ReplicaSiege(tmp_path, plan, postgres_database)
    counts = await siege.run()
    print(f"\nThree replicas ({plan}):\n{counts}\n  stopped         {siege.paused}\n  {siege.told_by()}")
    holds(counts)
