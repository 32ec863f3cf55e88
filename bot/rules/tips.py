"""Which self-care suits a person tonight: what is withheld, what stands in for it, which words to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import get_args

from content.keeping import kept
from content.loader import Content
from content.schema import Gate, Part

STAND_INS_FROM = 101  # tips numbered from here on are shown only in place of another
MOST_HOPS = 3  # a stand-in of a stand-in of a stand-in is as far as it goes


@dataclass(frozen=True)
class Circumstances:
    """What is known about one person tonight, as far as tips are concerned."""

    flags: Mapping[str, bool]  # answered yes or no; absent: not known
    signs: frozenset[str]  # of recent nights and of open findings
    helped: frozenset[str]
    withheld: frozenset[str]  # techniques that open escalations withhold


NOTHING_KNOWN = Circumstances({}, frozenset(), frozenset(), frozenset())  # of somebody who is no patient


def withheld_techniques(content: Content, at: Circumstances) -> frozenset[str]:
    """Return the techniques that are wrong for this person tonight."""
    return _gated(content, frozenset(at.flags.items()), at.signs, at.helped) | at.withheld


@kept(4096)
def _gated(
    content: Content, flags: frozenset[tuple[str, bool]], signs: frozenset[str], helped: frozenset[str]
) -> frozenset[str]:
    """Return what gates withhold; worked out once for all who are alike in this."""
    at = Circumstances(dict(flags), signs, helped, frozenset())
    return frozenset(technique for technique, gate in content.gates.items() if _closed(gate, at))


def fitting(content: Content, tip_id: str, at: Circumstances) -> str | None:
    """Return the tip itself, or else the stand-in that may be shown, or None when nothing may."""
    return _fitting(content, tip_id, withheld_techniques(content, at))


def fitting_tips(content: Content, at: Circumstances) -> list[str]:
    """List the tips to show tonight in the order of the reviewed table, each once."""
    withheld = withheld_techniques(content, at)
    table = sorted((tip.number, name) for name, tip in content.tips.items() if tip.number < STAND_INS_FROM)
    found = (_fitting(content, name, withheld) for _, name in table)
    return list(dict.fromkeys(name for name in found if name is not None))


def choose_pieces(
    content: Content, at: Circumstances, shown: Mapping[str, int], seed: str
) -> dict[Part, str]:
    """Choose a fitting piece for each part of the evening prompt; `shown` is how many nights ago each was."""
    fits = _fitting_pieces(content, withheld_techniques(content, at))
    nights = content.timing.no_repeat_nights
    return {part: _choose(names, shown, nights, f"{seed}/{part}") for part, names in fits.items()}


def _closed(gate: Gate, at: Circumstances) -> bool:
    unknown = gate.unknown == "withhold" and not at.flags.keys() >= set(gate.flags)
    forbidden = any(at.flags.get(flag, False) for flag in (*gate.flags, *gate.reported))
    told = not (at.signs.isdisjoint(gate.signs) and at.helped.isdisjoint(gate.helped))
    return gate.always or unknown or forbidden or told


def _fitting(content: Content, tip_id: str, withheld: frozenset[str]) -> str | None:
    name: str | None = tip_id
    for _ in range(MOST_HOPS + 1):
        if name is None:
            return None
        wrong = next(filter(withheld.__contains__, content.tips[name].techniques), None)
        if wrong is None:
            return name
        name = content.gates[wrong].replace_with if wrong in content.gates else None
    return None


@kept(1024)
def _fitting_pieces(content: Content, withheld: frozenset[str]) -> Mapping[Part, Sequence[str]]:
    """Return the fitting pieces of each part that has any; worked out once for all who are alike in this."""
    fits: dict[Part, list[str]] = {}
    for part in get_args(Part):
        mine = (name for name, piece in content.pieces.items() if piece.part == part)
        if found := [name for name in mine if _suits(content, name, withheld)]:
            fits[part] = found
    return fits


def _suits(content: Content, piece_id: str, withheld: frozenset[str]) -> bool:
    """A piece suits when nothing in it is withheld and, for a stand-in, when what it stands in for is."""
    piece = content.pieces[piece_id]
    if not withheld.isdisjoint(piece.techniques + content.tips[piece.tip].techniques):
        return False
    replaced = {technique for technique, gate in content.gates.items() if gate.replace_with == piece.tip}
    return not replaced or bool(replaced & withheld)


def _choose(names: Sequence[str], shown: Mapping[str, int], no_repeat_nights: int, seed: str) -> str:
    """Choose by hash among what was not shown lately; when all were, take the one shown longest ago."""
    fresh = [name for name in names if shown.get(name, no_repeat_nights + 1) > no_repeat_nights]
    if not fresh:
        return max(names, key=lambda name: shown[name])
    number = int.from_bytes(sha256(seed.encode()).digest()[:8], "big")
    return fresh[number % len(fresh)]
