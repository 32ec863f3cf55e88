"""Finds the few red flags that a moment can meet: each of the others needs a code that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import Facts
from content.keeping import kept
from content.loader import Content
from content.schema import Condition, RedFlag

PAIN = "pain:"  # any score


def touched(content: Content, facts: Facts) -> Iterator[tuple[str, RedFlag]]:
    """Yield, in the order of the rule file, the red flags that something known belongs to."""
    places = _places(content)
    known = sorted({place for code in _codes(facts) for place in places.get(code, ())})
    rules = _rules(content)
    return (rules[place] for place in known)


def needed(condition: Condition) -> frozenset[str]:
    """Return codes without any of which a condition is not met; empty when it may be met with none."""
    if condition.all is not None:
        parts = [codes for codes in map(needed, condition.all) if codes]
        # Of parts that must all be met the rarest: a sign is rarer than a profile answer or a score.
        return min(parts, key=lambda codes: (not all(map(_is_sign, codes)), len(codes)), default=frozenset())
    if condition.any is not None:
        alternatives = [needed(part) for part in condition.any]
        return frozenset().union(*alternatives) if all(alternatives) else frozenset()
    if condition.none is not None:
        return frozenset()
    if condition.pain_from is not None:
        return frozenset((PAIN,))
    kinds = {
        "sign": condition.sign,
        "flag": condition.flag,
        "feeling": condition.feeling,
        "helped": condition.helped,
    }
    return frozenset(f"{kind}:{value}" for kind, value in kinds.items() if value is not None)


def _is_sign(code: str) -> bool:
    return code.startswith("sign:")


def _codes(facts: Facts) -> Iterator[str]:
    yield ""  # what needs nothing
    yield from (f"sign:{sign}" for sign in facts.signs)
    yield from (f"flag:{flag}" for flag, yes in facts.flags.items() if yes)
    yield from (f"feeling:{one}" for one in facts.feeling)
    yield from (f"helped:{one}" for one in facts.helped)
    if facts.pain is not None:
        yield PAIN


@kept()
def _rules(content: Content) -> tuple[tuple[str, RedFlag], ...]:
    return tuple(content.red_flags.items())


@kept()
def _places(content: Content) -> dict[str, tuple[int, ...]]:
    """Return by code the places of the rules that need it or one of its kin."""
    places: dict[str, tuple[int, ...]] = {}
    for place, (_, red_flag) in enumerate(_rules(content)):
        for code in needed(red_flag.when) or ("",):
            places[code] = (*places.get(code, ()), place)
    return places
