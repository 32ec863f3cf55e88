"""A short siege, the same every time: see tests/fault for the whole one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault.siege import Plan, Siege
from tests.fault.test_siege import holds


@pytest.mark.fault
async def test_every_promise_holds_through_a_few_kills(tmp_path: Path) -> None:
    plan = Plan(seed=7, kills=5, people=24, sendings=200, longest_life=4.0)
    counts = await Siege(tmp_path, plan).run()
    print(f"\nA short siege:\n{counts}")
    holds(counts)
    assert counts.kills == 5
    assert counts.cards >= 20
    assert counts.prompts >= 40
