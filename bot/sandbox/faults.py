"""Trouble on demand: what a network and a busy server do to a request, scripted or by seeded chance."""

import random
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from bot.sandbox.refusals import Json

Kind = Literal["retry_after", "status", "garbage", "close", "delay", "hang"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """One kind of trouble; with *after*, the request is carried out first and the caller never knows.

    times: how often it strikes (None: for ever); skip: how many requests pass before;
    seconds: the delay, or what retry_after says; status: the code of a "status" fault.
    """

    kind: Kind
    method: str = "*"
    chat_id: int | None = None
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    seconds: float = 1.0
    status: int = 500
    after: bool = False

    def __post_init__(self) -> None:
        """Refuse a kind nobody knows."""
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}: one of {', '.join(KINDS)}")

    def fits(self, method: str, chat_id: str | None) -> bool:
        """Return whether the fault is meant for this request."""
        same_chat = self.chat_id is None or str(self.chat_id) == chat_id
        return same_chat and self.method.lower() in {"*", method.lower()}


class Faults:
    """The trouble to come, and the trouble that was."""

    def __init__(self, seed: int = 0) -> None:
        self.waiting: list[Fault] = []
        self.struck: list[tuple[str, Kind]] = []
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Restart chance from a known place."""
        self._chance = random.Random(seed)  # noqa: S311 - trouble that can be replayed

    def add(self, fault: Fault) -> Fault:
        """Put one fault at the end of the line."""
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """End all trouble."""
        self.waiting.clear()

    def take(self, method: str, chat_id: str | None) -> Fault | None:
        """Return the fault that strikes this request, if any."""
        for fault in self.waiting:
            if not fault.fits(method, chat_id):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.chance < 1 and self._chance.random() >= fault.chance:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
            self.struck.append((method, fault.kind))
            return fault
        return None

    def listed(self) -> list[Json]:
        """Return the trouble to come as plain values."""
        return [asdict(fault) for fault in self.waiting]
