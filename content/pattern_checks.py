"""Finds what the patterns contradict themselves in, and says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from content.checks import Complaints, lifetime_fits, options_of, unknown, vouched
from content.pattern_shapes import (
    Change,
    CountChange,
    Lasting,
    NightIs,
    Nights,
    Pattern,
    SideChange,
    When,
)
from content.schema import Level, Shape

if TYPE_CHECKING:
    from content.loader import Content

FILE: Final = "rules/patterns.toml"
LONGEST_DIARY: Final = 366  # nights that any rule may look back


def pattern_problems(content: Content) -> list[str]:
    """Return every contradiction in the patterns, their words and what is remembered of them."""
    return [*_patterns(content), *_words(content), *_memory(content)]


def _patterns(content: Content) -> Complaints:
    for rule, pattern in content.patterns.items():
        where = f"{FILE}: {rule}"
        if rule in content.red_flags:
            yield f"{where}: is the name of a red flag; write another"
        yield from vouched(content, where, pattern.sources, pattern.review)
        yield from unknown(f"{where}.withholds", "technique", pattern.withholds, content.gates)
        yield from unknown(f"{where}.asks", "red flag", pattern.asks, content.red_flags)
        flags = (pattern.keeps_flag,) if pattern.keeps_flag else ()
        yield from unknown(f"{where}.keeps_flag", "flag", flags, content.profile)
        yield from unknown(f"{where}.instead_of", "pattern", pattern.instead_of, content.patterns)
        yield from _standing(where, pattern)
        yield from _node(content, rule, f"{where}.when", pattern.when)


def _standing(where: str, pattern: Pattern) -> Complaints:
    if pattern.effect == "raise":
        yield from lifetime_fits(where, pattern.level, pattern.lifetime)
        if pattern.asks or pattern.quiet_days:
            yield f"{where}: what raises has its class's cool-down and asks nothing; remove asks, quiet_days"
        if pattern.stays and pattern.level < Level.URGENT:
            yield f"{where}.stays: only an emergency or urgent pattern stays; remove it"
        return
    if pattern.level is not Level.NONE or pattern.lifetime or pattern.withholds or pattern.stays:
        yield f"{where}: what only asks or says raises nothing; write level none, no lifetime, no withholds"
    if pattern.quiet_days is None:
        yield f"{where}.quiet_days: is missing; write after how many days it may come again"
    if bool(pattern.asks) != (pattern.effect == "ask"):
        yield f"{where}.asks: belongs to the effect ask, and only to it"


def _node(content: Content, rule: str, where: str, node: When) -> Complaints:
    fields = [name for name in When.model_fields if getattr(node, name) is not None]
    if len(fields) != 1:
        yield f"{where}: a condition has one of {', '.join(When.model_fields)}"
        return
    kind = fields[0]
    value = getattr(node, kind)
    if kind == "flag":
        yield from unknown(where, "flag", [value], content.profile)
    elif kind == "met_before":
        yield from unknown(where, "pattern", value, content.patterns)
        if rule in value:
            yield f"{where}.met_before: a pattern cannot wait for itself; write another"
        elif any(_waits(content.patterns[name].when) for name in value if name in content.patterns):
            yield f"{where}.met_before: names a pattern that waits for others itself; write one that does not"
    elif kind in ("all", "any", "none"):
        yield from _joined(content, rule, f"{where}.{kind}", kind, value)
    elif kind != "used_weeks":
        yield from _kind(content, f"{where}.{kind}", value)


def _waits(node: When) -> bool:
    return node.met_before is not None or any(map(_waits, node.all or node.any or node.none or ()))


def _joined(content: Content, rule: str, where: str, kind: str, parts: tuple[When, ...]) -> Complaints:
    if not parts:
        yield f"{where}: an empty list decides nothing; write what it is about"
    for at, part in enumerate(parts):
        yield from _node(content, rule, f"{where}.{at}", part)
        if kind == "none" and part.flag is None:
            yield f"{where}.{at}: an unknown night would count as good; under none write only a flag"
    if kind == "all":
        wanted = {part.flag for part in parts if part.flag}
        refused = {other.flag for part in parts for other in part.none or () if other.flag}
        for flag in sorted(wanted & refused):
            yield f"{where}: can never be true: {flag} is needed and forbidden; remove one of them"
        if all(
            part.none is not None or part.used_weeks is not None or part.flag is not None for part in parts
        ):
            yield f"{where}: is true without a single reported night; write what must be reported"


def _kind(content: Content, where: str, shape: Shape) -> Complaints:
    of = getattr(shape, "of", None)
    if of is not None:
        yield from _fits(where, shape, of)
    match shape:
        case Nights() if shape.new_within is not None and shape.new_within < shape.at_least:
            yield f"{where}.new_within: {shape.at_least} nights do not fit in {shape.new_within}; write more"
        case Change() if not shape.points and shape.share is None:
            yield f"{where}: any change would do; write points or share"
        case Lasting() if shape.nights >= shape.within:
            yield f"{where}.within: must be longer than nights ({shape.nights}); write more"
        case SideChange() if shape.before == shape.now:
            yield f"{where}: nothing changes from {shape.before} to {shape.now}; write the other side"
    that = getattr(shape, "that", None)
    if isinstance(that, NightIs):
        yield from _night(content, f"{where}.that", that)


def _fits(where: str, shape: Shape, of: int) -> Complaints:
    """So many nights must fit into the window, and all windows into the longest diary."""
    for field in ("at_least", "need", "up", "nights_beyond"):
        wanted = getattr(shape, field, 0)
        if wanted > of:
            yield f"{where}.{field}: {wanted} of {of} nights can never be; write fewer"
    windows = getattr(shape, "weeks_running", 1) + int(isinstance(shape, Change | CountChange))
    if of * windows > LONGEST_DIARY:
        yield f"{where}: looks back {of * windows} nights; {LONGEST_DIARY} are the most"


def _night(content: Content, where: str, night: NightIs) -> Complaints:
    given = {name for name in NightIs.model_fields if getattr(night, name) not in (None, ())}
    if not given:
        yield f"{where}: says nothing about the night; write what it was like"
    if night.symptoms is False and given != {"symptoms"}:
        yield f"{where}: can never be: a night without symptoms has nothing else to report; remove the rest"
    yield from unknown(f"{where}.signs", "sign", night.signs, content.signs)
    for question in ("feeling", "helped"):
        known = options_of(content, question)
        yield from unknown(f"{where}.{question}", "answer", getattr(night, question), known)
    if night.tired is not None:
        yield from unknown(f"{where}.tired", "answer", [night.tired], options_of(content, "tired"))
    for at, part in enumerate(night.any):
        yield from _night(content, f"{where}.any.{at}", part)


def _words(content: Content) -> Complaints:
    for rule, words in content.pattern_words.items():
        where = f"{content.language}/patterns.toml: {rule}"
        pattern = content.patterns.get(rule)
        for field in _needed(pattern):
            if not getattr(words, field).strip():
                yield f"{where}.{field}: is empty; write it"
        if re.search(r"\d{3}", words.action + words.why + words.do_not):
            yield f"{where}: looks like a phone number; leave it out, the program adds those of the country"


def _needed(pattern: Pattern | None) -> Iterator[str]:
    yield from ("label", "line", "action", "why")
    if pattern is not None and pattern.level >= Level.URGENT:
        yield "do_not"


def _memory(content: Content) -> Complaints:
    for missing in sorted({"soon", "routine"} - {*content.memory.lasts_days}):
        yield f"rules/memory.toml: lasts_days.{missing}: is missing; write for how many days it stays"
    known = {red_flag.area for red_flag in content.red_flags.values()}
    yield from unknown("rules/memory.toml: gone_areas", "area", content.memory.gone_areas, known)
