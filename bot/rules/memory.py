"""What is remembered of a finding: when it speaks, how long its advice stays in force, what settles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from bot.model import Escalation, Finding, Outcome
from bot.rules.patterns import spoken
from content.loader import Content
from content.schema import Level, Lifecycle

GOOD_AS_SAFE = frozenset({Outcome.SEEN, Outcome.SAFE})  # who was seen about despair has talked to somebody
WEEK = 7


@dataclass(frozen=True)
class Matter:
    """One rule that was raised, for one side, and what came of it; days are nights' dates.

    `absent` counts the logged nights since it was last met. A settled matter `goes_on` while still met.
    """

    rule: str
    topic: str
    side: str | None
    level: Level
    evidence: frozenset[str]
    raised_on: date
    met_on: date
    told_on: date | None = None
    absent: int = 0
    settled_on: date | None = None
    goes_on: bool = False
    doubted: bool = False  # taken back, and nobody has said yet that it was a mis-tap


@dataclass(frozen=True)
class Memory:
    """Everything remembered of one person: matters, and when a question or a kind word was last said."""

    matters: tuple[Matter, ...] = ()
    said_on: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Happened:
    """What one judging brought: the entry's red flags, the diary's patterns, what came of earlier advice."""

    on: date
    findings: tuple[Finding, ...] = ()
    logged: bool = False  # an entry was made, so that what it does not name was not there
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)  # by topic or rule; "all" for every one
    replaces: bool = False  # the entry replaces the earlier one of the same night


@dataclass(frozen=True)
class Told:
    """What follows: the memory after it, the rules that are spoken of, the level that is in force."""

    memory: Memory
    rules: tuple[str, ...]
    level: Level


def advance(content: Content, memory: Memory, happened: Happened) -> Told:
    """Take what happened into the memory; say what is spoken of and which level is in force afterwards."""
    raising = [one for one in happened.findings if one.level > Level.NONE]
    kept = _taken_back(memory.matters, happened)
    matters, loud = _met(content, kept, raising, happened.on)
    matters = [_unmet(content, one, happened, raising) for one in matters]
    rules = _speaking(content, matters, loud, happened)
    matters = [replace(one, told_on=happened.on) if one.rule in rules else one for one in matters]
    matters = [_settled(content, one, happened) for one in matters]
    extra = _extras(content, memory.said_on, happened)
    said_on = {**memory.said_on, **dict.fromkeys(extra, happened.on)}
    after = Memory(tuple(matters), said_on)
    return Told(after, (*rules, *extra), level_in_force(content, after, happened.on))


def is_news(content: Content, memory: Memory, finding: Finding, on: date) -> bool:
    """Return whether a finding is new, worse or back: the same rule by which `advance` lets it speak."""
    return finding.rule in _met(content, memory.matters, (finding,), on)[1]


def level_in_force(content: Content, memory: Memory, on: date) -> Level:
    """Return the highest level of all advice that is in force on a day."""
    return max((in_force(content, matter, on) for matter in memory.matters), default=Level.NONE)


def in_force(content: Content, matter: Matter, on: date) -> Level:
    """Return the level a matter still has: until seen for urgent and emergency, some days for the others.

    An urgent leg sign that has gone, and that nobody has seen, is soon, except for rows that stay.
    """
    if matter.settled_on is not None:
        return Level.NONE
    if matter.level >= Level.URGENT:
        return Level.SOON if _has_gone(content, matter) else matter.level
    lasts = content.memory.lasts_days["soon" if matter.level is Level.SOON else "routine"]
    return matter.level if (on - matter.met_on).days <= lasts else Level.NONE


def may_be_said_again(cycle: Lifecycle, told_on: date, on: date) -> bool:
    """Return whether the days of silence after advice was told are over."""
    return (on - told_on).days >= cycle.quiet_days


def follow_up_is_due(cycle: Lifecycle, raised_on: date, on: date) -> bool:
    """Return whether a day is one of those on which we ask what came of it."""
    days = (on - raised_on).days
    if days in cycle.follow_up_days:
        return True
    weeks, rest = divmod(days - (cycle.follow_up_days or (0,))[-1], WEEK)
    return rest == 0 and 1 <= weeks <= cycle.weekly_times


def matter_of(escalation: Escalation, met_on: date, absent: int) -> Matter:
    """Return a stored escalation as a matter; `absent` logged nights have passed since it was last met."""
    settled = escalation.closed_at.date() if escalation.closed_at else None
    return Matter(
        escalation.rule,
        escalation.topic,
        escalation.side,
        escalation.level,
        _answers(escalation.evidence),
        escalation.night,
        met_on,
        escalation.told_at.date() if escalation.told_at else None,
        absent,
        settled,
        goes_on=settled is not None and absent == 0,
    )


def _cycle(content: Content, rule: str) -> Lifecycle:
    return content.lifecycles[content.rules[rule].lifetime or "routine"]


def _answers(evidence: Iterable[str]) -> frozenset[str]:
    return frozenset(code for code in evidence if not code.startswith("night:"))


def _same(matter: Matter, finding: Finding) -> bool:
    return matter.rule == finding.rule and _same_side(matter, finding)


def _same_side(matter: Matter, finding: Finding) -> bool:
    return matter.side == finding.side or None in (matter.side, finding.side)


# --- what was met ----------------------------------------------------------------------------------------


def _met(
    content: Content, matters: Iterable[Matter], findings: Iterable[Finding], on: date
) -> tuple[list[Matter], set[str]]:
    """Take the findings in; the second part names the rules that are new, worse or back."""
    standing = list(matters)
    loud: set[str] = set()
    for finding in findings:
        old = next((one for one in standing if _same(one, finding)), None)
        if old is not None and _continues(content, old, finding, on):
            if _rings(content, old, finding, on):
                loud.add(finding.rule)
            standing[standing.index(old)] = replace(
                old,
                level=max(old.level, finding.level),
                evidence=old.evidence | _answers(finding.evidence),
                met_on=on,
                absent=0,
                doubted=False,
            )
            continue
        quiet = _known_by_topic(content, standing, finding)
        standing = [one for one in standing if one is not old]
        settled_on = on if quiet else None
        standing.append(
            Matter(
                finding.rule,
                finding.topic,
                finding.side,
                finding.level,
                _answers(finding.evidence),
                on,
                on,
                settled_on=settled_on,
                goes_on=quiet,
            )
        )
        if not quiet and not _told_lately(content, standing[:-1], finding, on):
            loud.add(finding.rule)
    return standing, loud


def _continues(content: Content, old: Matter, finding: Finding, on: date) -> bool:
    """Whether a finding is the same matter going on, rather than one that is new, worse or back."""
    if old.settled_on is None:
        return in_force(content, old, on) > Level.NONE
    if old.settled_on == on or not old.goes_on:
        return old.settled_on == on
    if finding.level >= content.memory.rings_again or finding.level > old.level:
        return False
    return not _adds(content, old.evidence, finding)


def _adds(content: Content, known: frozenset[str], finding: Finding) -> bool:
    """Whether a red flag rests on something that was not there before; a pattern's nights are always new."""
    return finding.rule in content.red_flags and bool(_answers(finding.evidence) - known)


def _rings(content: Content, old: Matter, finding: Finding, on: date) -> bool:
    if old.settled_on is not None:
        return False
    if finding.level > in_force(content, old, on):
        return True
    fresh = finding.rule in content.red_flags or f"night:{on.isoformat()}" in finding.evidence
    return fresh and finding.level >= Level.URGENT and old.met_on < on


def _known_by_topic(content: Content, standing: Iterable[Matter], finding: Finding) -> bool:
    """Whether the same topic was settled at this level or higher, still goes on, and nothing is new."""
    if finding.level >= content.memory.rings_again:
        return False
    return any(
        one.settled_on is not None
        and one.goes_on
        and one.topic == finding.topic
        and one.level >= finding.level
        and _same_side(one, finding)
        and not _adds(content, one.evidence, finding)
        for one in standing
    )


def _told_lately(content: Content, standing: Iterable[Matter], finding: Finding, on: date) -> bool:
    """Whether the same topic, as high or higher, was told within its days of silence."""
    if finding.level >= Level.URGENT:
        return False
    return any(
        one.topic == finding.topic
        and one.level >= finding.level
        and one.settled_on is None
        and one.told_on is not None
        and _same_side(one, finding)
        and not may_be_said_again(_cycle(content, finding.rule), one.told_on, on)
        for one in standing
    )


# --- what was not met, taken back or settled ------------------------------------------------------------


def _taken_back(matters: Iterable[Matter], happened: Happened) -> list[Matter]:
    """A lower matter of an entry that is replaced was never there; a grave one is only doubted."""
    if not happened.replaces:
        return list(matters)
    kept = []
    for matter in matters:
        met = any(_same(matter, finding) for finding in happened.findings)
        if met or matter.met_on != happened.on or matter.settled_on is not None:
            kept.append(matter)
        elif matter.level >= Level.URGENT:
            kept.append(replace(matter, doubted=True))
        elif matter.raised_on != happened.on:
            kept.append(matter)
    return kept


def _unmet(content: Content, matter: Matter, happened: Happened, raising: Iterable[Finding]) -> Matter:
    """Count the logged nights without it; a mis-tap is believed after enough of them."""
    if any(_same(matter, finding) for finding in raising) or matter.met_on == happened.on:
        return matter
    if matter.settled_on is not None:
        gone = happened.logged or matter.rule in content.patterns
        return replace(matter, goes_on=matter.goes_on and not gone)
    absent = matter.absent + int(happened.logged and matter.met_on < happened.on)
    if matter.doubted and absent >= _clear_nights(content, matter.rule):
        return replace(matter, absent=absent, settled_on=happened.on)
    return replace(matter, absent=absent)


def _clear_nights(content: Content, rule: str) -> int:
    return content.red_flags[rule].mistap_days if rule in content.red_flags else 1


def _settled(content: Content, matter: Matter, happened: Happened) -> Matter:
    if matter.settled_on is not None:
        return matter
    ends_on = _cycle(content, matter.rule).ends_on
    for subject in (matter.topic, matter.rule, "all"):
        outcome = happened.outcomes.get(subject)
        if outcome is None:
            continue
        if outcome in ends_on or (Outcome.SAFE in ends_on and outcome in GOOD_AS_SAFE):
            return replace(matter, settled_on=happened.on, goes_on=True)
    return matter


def _has_gone(content: Content, matter: Matter) -> bool:
    """Whether an urgent leg sign was absent on enough logged nights; rows that stay never go by then."""
    rule = content.rules[matter.rule]
    after = _cycle(content, matter.rule).gone_nights
    return bool(after) and not rule.stays and matter.absent >= after and _is_about_a_leg(content, matter)


def _is_about_a_leg(content: Content, matter: Matter) -> bool:
    red_flag = content.red_flags.get(matter.rule)
    if red_flag is not None and red_flag.area in content.memory.gone_areas:
        return True
    signs = (code.removeprefix("sign:") for code in matter.evidence if code.startswith("sign:"))
    return any(content.signs[sign].sided for sign in signs if sign in content.signs)


# --- what is said ------------------------------------------------------------------------------------------


def _speaking(
    content: Content, matters: Iterable[Matter], loud: set[str], happened: Happened
) -> tuple[str, ...]:
    """The rules spoken of: what is new, worse or back, what waited, what is followed up; grave ones alone."""
    open_ones = [one for one in matters if in_force(content, one, happened.on) > Level.NONE]
    grave = any(in_force(content, one, happened.on) >= Level.URGENT for one in open_ones)
    heard = {finding.rule for finding in spoken(content, happened.findings)}
    silent = {finding.rule for finding in happened.findings} - heard
    said = []
    for matter in sorted(open_ones, key=lambda one: -one.level):
        if matter.rule in silent or (grave and in_force(content, matter, happened.on) < Level.URGENT):
            continue
        if matter.rule in loud or _is_owed(content, matter, matters, happened.on):
            said.append(matter.rule)
    return tuple(dict.fromkeys(said))


def _is_owed(content: Content, matter: Matter, matters: Iterable[Matter], on: date) -> bool:
    """Whether a matter was never told though it may be, or is asked about today."""
    cycle = _cycle(content, matter.rule)
    kin = [one for one in matters if one.topic == matter.topic and one.level >= matter.level and one.told_on]
    if matter.told_on is None:
        return not any(one.told_on and not may_be_said_again(cycle, one.told_on, on) for one in kin)
    return matter.told_on < on and follow_up_is_due(cycle, matter.raised_on, on)


def _extras(content: Content, said_on: Mapping[str, date], happened: Happened) -> tuple[str, ...]:
    """The questions and kind words of patterns that raise nothing; no kind word beside something grave."""
    grave = any(finding.level >= Level.URGENT for finding in happened.findings)
    found = []
    for finding in happened.findings:
        pattern = content.patterns.get(finding.rule)
        if pattern is None or pattern.effect == "raise" or (pattern.effect == "say" and grave):
            continue
        last = said_on.get(finding.rule)
        if last is None or (happened.on - last).days >= (pattern.quiet_days or 0):
            found.append(finding.rule)
    return tuple(found)
