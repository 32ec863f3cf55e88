"""All cases, replayed once for every test that looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.operations.case_shapes import DiaryCase, MessageCase
from bot.operations.cases import differences, parse_case, replay
from bot.operations.replay import Result
from content.loader import Content, load

CASES = Path(__file__).parent / "cases"
OURS = sorted(CASES.glob("*.jsonl"))
BLIND = sorted((CASES / "blind").glob("*.jsonl"))


@dataclass(frozen=True)
class Replayed:
    """One case, what came of it, and in what that lies outside what is acceptable."""

    case: MessageCase | DiaryCase
    result: Result
    faults: tuple[str, ...]


@lru_cache(maxsize=1)
def content() -> Content:
    return load()


@lru_cache(maxsize=64)
def replayed(path: Path) -> tuple[Replayed, ...]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            case = parse_case(line)
            result = replay(content(), case)
            faults = differences(case, case.expected, result) if case.expected else ()
            found.append(Replayed(case, result, tuple(faults)))
    return tuple(found)
