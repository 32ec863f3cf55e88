"""Reading and judging: messages read in a second, p99, memory added; a diary of 90 nights judged."""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from bot.model import Facts
from bot.operations.case_shapes import MessageCase
from bot.operations.cases import parse_case
from bot.rules.hearing import listen
from bot.rules.memory import Happened, Memory, advance
from bot.rules.patterns import Person, judge_diary
from bot.rules.triage import judge
from bot.rules.windows import Night
from content.loader import Content, load
from tests.replays import OURS

ROUNDS = 5
DIARY_ROUNDS = 30
NIGHTS = 90
FIRST = date(2026, 1, 1)


def main() -> None:
    content = load()
    before = _resident()
    started = time.perf_counter()
    listen(content, "my calf is swollen", Facts())
    warm_up = time.perf_counter() - started
    texts = _texts()
    spans = [_span(partial(listen, content, text, Facts())) for _ in range(ROUNDS) for text in texts]
    added = _resident() - before
    print(f"Reading ({len(texts)} messages, {ROUNDS} rounds)")
    print(f"  messages a second   {len(spans) / sum(spans):>10.0f}")
    print(f"  median a message    {statistics.median(spans) * 1e3:>10.2f} ms")
    print(f"  p99 a message       {statistics.quantiles(spans, n=100)[98] * 1e3:>10.2f} ms")
    print(f"  slowest             {max(spans) * 1e3:>10.2f} ms")
    print(f"  first message       {warm_up * 1e3:>10.0f} ms (the vocabulary is compiled)")
    print(f"  memory added        {added:>10.1f} MiB")
    diary = _diary()
    last = diary[-1].on
    judged = [_span(lambda: judge_diary(content, diary, last, Person())) for _ in range(DIARY_ROUNDS)]
    replayed = [_span(lambda: _every_morning(content, diary)) for _ in range(ROUNDS)]
    print(f"A diary of {NIGHTS} nights")
    print(f"  judged for one day  {statistics.median(judged) * 1e3:>10.2f} ms (median of {DIARY_ROUNDS})")
    print(f"  judged every day    {statistics.median(replayed) * 1e3:>10.1f} ms (median of {ROUNDS})")


def _span(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _texts() -> list[str]:
    lines = (line for path in OURS for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [case.text for line in lines if isinstance(case := parse_case(line), MessageCase)]


def _diary() -> list[Night]:
    chance = random.Random(90)
    return [
        Night(
            on=FIRST + timedelta(days=night),
            pain=chance.randint(0, 8),
            woke=chance.randint(0, 3),
            feeling=frozenset(chance.sample(["cramp", "urge", "burning", "shooting"], 2)),
            helped=frozenset({chance.choice(["moving", "stretching"])}),
            side=chance.choice(["left", "right", "both"]),
            did=frozenset({"stretch"}),
        )
        for night in range(NIGHTS)
    ]


def _every_morning(content: Content, diary: list[Night]) -> None:
    memory = Memory()
    for night in diary:
        facts = Facts(feeling=night.feeling, helped=night.helped, pain=night.pain)
        findings = (*judge(content, facts), *judge_diary(content, diary, night.on, Person()))
        memory = advance(content, memory, Happened(night.on, findings, logged=True)).memory


def _resident() -> float:
    """The most memory held so far, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
