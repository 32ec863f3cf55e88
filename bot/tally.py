"""What this process has done since its start, in numbers that say nothing of anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Counts that the layers add to where a thing happens; read by the metrics, and never kept.

    Of messages the evening's and the morning's alone are counted: in a household of one, a number that grows
    with each card would say that a warning is open.
    """

    told: int = 0
    let_go: int = 0  # by us, for its fate or its lateness: not what a person put off, paused or blocked
    tried_again: int = 0
    asked_to_wait: int = 0  # times, of all messages
    wait_seconds: float = 0.0
    updates_kept: int = 0
    updates_done: int = 0
    updates_given_up: int = 0
