"""Judges one moment: which red flags hold, how soon each should be seen, and what must rest until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bot.model import Facts, Finding
from bot.rules.touched import touched
from content.loader import Content
from content.schema import Condition, Level, RedFlag, Sign

YES, UNSURE = "yes", "unsure"
WORST = 10  # of the pain score


def judge(content: Content, facts: Facts) -> tuple[Finding, ...]:
    """Return every red flag that holds, highest first; of one topic only the highest, of equals the first.

    "Not sure" counts as yes for emergency and urgent rows and drops one level for the others (design rules of
    the red-flag table).
    """
    known = replace(facts, signs=closed_over(content.signs, facts.signs))
    by_topic: dict[str, Finding] = {}
    for rule, red_flag in touched(content, known):
        found = _found(content, rule, red_flag, facts, known)
        if found and (found.topic not in by_topic or outranks(found, by_topic[found.topic])):
            by_topic[found.topic] = found
    if not by_topic:
        return ()
    places = {rule: place for place, rule in enumerate(content.red_flags)}
    return tuple(sorted(by_topic.values(), key=lambda found: (-found.level, places[found.rule])))


def finding_for(content: Content, rule_id: str, facts: Facts) -> Finding:
    """Return the finding of a row whose exact question was answered; not sure when no sign is sure.

    Somebody who was asked outright and is not sure is never sent away with nothing: routine stays routine.
    """
    red_flag = content.red_flags[rule_id]
    unsure = bool(facts.signs) and YES not in facts.signs.values()
    level = max(_doubted(red_flag.level), Level.ROUTINE) if unsure else red_flag.level
    known = replace(facts, signs=closed_over(content.signs, facts.signs))
    return Finding(
        rule_id, level, red_flag.topic, facts.side, _told(content, red_flag, facts, known, unsure=True)
    )


def in_doubt(content: Content, facts: Facts) -> tuple[str, ...]:
    """Return the emergency and urgent rows that a missing profile answer or score alone holds back.

    Their exact question names what was left open (a foot sore, and nobody knows about diabetes).
    """
    signs = closed_over(content.signs, facts.signs)
    supposed = {flag: True for flag in content.profile if flag not in facts.flags}
    pain = WORST if facts.pain is None else facts.pain
    open_to_doubt = replace(facts, signs=signs, flags={**supposed, **facts.flags}, pain=pain)
    rows = [
        rule
        for rule, red_flag in touched(content, open_to_doubt)
        if red_flag.level >= Level.URGENT and holds(red_flag.when, open_to_doubt, unsure=True)
    ]
    raised = {found.topic: found.level for found in judge(content, facts)} if rows else {}
    rows = [
        rule
        for rule in rows
        if content.red_flags[rule].level > raised.get(content.red_flags[rule].topic, Level.NONE)
    ]
    return tuple(sorted(rows, key=lambda rule: -content.red_flags[rule].level))


def holds(condition: Condition, facts: Facts, unsure: bool) -> bool:
    """Return whether a condition is met; with `unsure`, doubt counts too, but never as an exception."""
    if condition.all is not None:
        return all(holds(part, facts, unsure) for part in condition.all)
    if condition.any is not None:
        return any(holds(part, facts, unsure) for part in condition.any)
    if condition.none is not None:
        return not any(holds(part, facts, False) for part in condition.none)
    return _is_reported(condition, facts, unsure)


def withheld(content: Content, rules: Iterable[str]) -> frozenset[str]:
    """Return the techniques that are wrong while these rows are open."""
    return frozenset(technique for rule in rules for technique in content.rules[rule].withholds)


def outranks(one: Finding, other: Finding) -> bool:
    """Return whether one finding must be seen sooner than another."""
    return one.level > other.level


def closed_over(shapes: Mapping[str, Sign], signs: Mapping[str, str]) -> dict[str, str]:
    """Return the signs with all that they imply; what is sure stays sure."""
    known = dict(signs)
    waiting = [*signs]
    while waiting:
        sign = waiting.pop()
        for implied in shapes[sign].implies if sign in shapes else ():
            if known.get(implied) != YES and known.get(implied) != known[sign]:
                known[implied] = known[sign]
                waiting.append(implied)
    return known


def _found(content: Content, rule: str, red_flag: RedFlag, facts: Facts, known: Facts) -> Finding | None:
    sure = holds(red_flag.when, known, unsure=False)
    if not sure and not holds(red_flag.when, known, unsure=True):
        return None
    level = red_flag.level if sure else _doubted(red_flag.level)
    if level is Level.NONE:
        return None
    return Finding(
        rule, level, red_flag.topic, facts.side, _told(content, red_flag, facts, known, unsure=not sure)
    )


def _told(content: Content, red_flag: RedFlag, facts: Facts, known: Facts, unsure: bool) -> tuple[str, ...]:
    """The evidence as it was told: an implied sign is named by the one that implied it."""
    evidence: list[str] = []
    for code in _evidence(red_flag.when, known, unsure):
        kind, _, name = code.partition(":")
        if kind != "sign" or name in facts.signs:
            evidence.append(code)
        else:
            evidence += [
                f"sign:{told}" for told in facts.signs if name in closed_over(content.signs, {told: YES})
            ]
    return tuple(dict.fromkeys(evidence))


def _doubted(level: Level) -> Level:
    return level if level >= Level.URGENT else Level(max(level - 1, Level.NONE))


def _is_reported(condition: Condition, facts: Facts, unsure: bool) -> bool:
    if condition.sign is not None:
        return facts.signs.get(condition.sign) in ((YES, UNSURE) if unsure else (YES,))
    if condition.flag is not None:
        return facts.flags.get(condition.flag, False)
    if condition.feeling is not None:
        return condition.feeling in facts.feeling
    if condition.helped is not None:
        return condition.helped in facts.helped
    return condition.pain_from is not None and facts.pain is not None and facts.pain >= condition.pain_from


def _evidence(condition: Condition, facts: Facts, unsure: bool) -> Iterator[str]:
    """Yield the codes that are true in the branches that are true, in the order of the rule."""
    for part in condition.all or condition.any or ():
        if condition.all is not None or holds(part, facts, unsure):
            yield from _evidence(part, facts, unsure)
    if _is_reported(condition, facts, unsure):
        yield _code(condition)


def _code(condition: Condition) -> str:
    kinds = {
        "sign": condition.sign,
        "flag": condition.flag,
        "feeling": condition.feeling,
        "helped": condition.helped,
        "pain": condition.pain_from,
    }
    return next(f"{kind}:{value}" for kind, value in kinds.items() if value is not None)
