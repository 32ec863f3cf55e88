"""What an answer or a message adds to what is known: certain findings, and exact questions for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from bot.model import Facts, Finding
from bot.rules.likeness import likeness, most_like, odds
from bot.rules.reading import Reading, read
from bot.rules.triage import UNSURE, WORST, YES, closed_over, finding_for, holds, in_doubt, judge
from content.keeping import kept
from content.loader import Content
from content.schema import Level

EVERY_NIGHTS = frozenset({"cramp", "urge"})  # feelings that people tell in lively words
SLOW = "slow"  # the group of signs that build up over weeks
LIKE = "like:"  # begins the evidence of a row that a message is like
MOST_ASKED = 8  # rows in one exact question: more buttons than this nobody reads


@dataclass(frozen=True)
class Judged:
    """What something new leads to; `asks` are rows whose exact question is put, gravest first."""

    raised: tuple[Finding, ...] = ()  # urgent and emergency
    lower: tuple[Finding, ...] = ()  # soon and routine
    asks: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # the new codes: "sign:fever", "flag:diabetes"
    leg: str = ""  # the one leg named in the words of all its signs of a leg

    @property
    def is_grave(self) -> bool:
        """Return whether it leads to a card or to an exact question."""
        return bool(self.raised or self.asks)


@dataclass(frozen=True)
class Heard:
    """What one message was found to say of the writer and of somebody else."""

    reading: Reading
    own: Judged
    other: Judged
    doubted: tuple[str, ...] = ()  # the writer's own signs that the whole message speaks against
    unheard: bool = False  # like a grave message, and no phrase found why: the warning signs are asked about
    alarming: bool = False  # a cry or a word of danger, or too like a grave message to leave it at that

    @property
    def is_open(self) -> bool:
        """Return whether the warning signs must be asked about, because nothing graver came of it."""
        return self.alarming or not self.reading.meaningful

    def signs(self) -> dict[str, str]:
        """Return the writer's own present signs, each "yes" or "unsure"; not those that are asked about."""
        return {sign: known for sign, known in self.reading.signs().items() if sign not in self.doubted}

    @property
    def is_grave(self) -> bool:
        """Return whether it leads to a card or to an exact question."""
        return self.own.is_grave or self.other.is_grave

    @property
    def is_calm(self) -> bool:
        """Return whether no words may mean danger: no sign, no cry but the number of a call that was made."""
        reading, said = self.reading, self.reading.replied
        cries = reading.cry and not (said is not None and said.explains_cry)
        unheard = self.unheard and not (said is not None and said.is_all)
        signs = any(one.is_present for one in reading.heard)
        return not (self.is_grave or signs or cries or reading.worrying or unheard)

    @property
    def is_of_other(self) -> bool:
        """Return whether it speaks of somebody else alone."""
        return bool(self.other.said) and not self.own.said


def listen(content: Content, text: str, facts: Facts) -> Heard:
    """Read one message and judge it together with what is known already."""
    reading = _by_its_score(content, read(text, content.phrases))
    doubtful = {other: _doubtful(reading, other) for other in (False, True)}
    flags = dict.fromkeys(reading.flags, True)
    own = said_of(content, facts, _sure(reading.signs()), doubtful[False], flags, reading)
    theirs = dict.fromkeys(reading.others_flags, True)
    other = said_of(content, Facts(), _sure(reading.others_signs()), doubtful[True], theirs)
    heard = _weighed(content, text, {**facts.flags, **flags}, Heard(reading, own, other))
    return replace(heard, own=_with_leg(content, reading.legs, heard.own))


def _with_leg(content: Content, legs: Mapping[str, str], own: Judged) -> Judged:
    """Name the leg with what rests on no sign of a leg but those in whose own words it stands."""

    def leg_of(codes: Iterable[str]) -> str:
        sided = [sign for sign in sign_codes(codes) if sign in content.signs and content.signs[sign].sided]
        named = {legs.get(sign, "") for sign in sided}
        return named.pop() if len(named) == 1 else ""

    def named(finding: Finding) -> Finding:
        leg = leg_of(finding.evidence)
        return replace(finding, side=leg, names_leg=True) if leg else finding

    raised, lower = (tuple(map(named, findings)) for findings in (own.raised, own.lower))
    return replace(own, raised=raised, lower=lower, leg=leg_of(own.said))


def _by_its_score(content: Content, reading: Reading) -> Reading:
    """Without signs of strong pain that were heard in the very words of a score that is lower."""

    def holds_up(sign: str, words: str) -> bool:
        least = content.signs[sign].pain_from if sign in content.signs else None
        told = any(letter.isdigit() for letter in words)
        return least is None or reading.pain is None or reading.pain >= least or not told

    kept = tuple(heard for heard in reading.heard if holds_up(heard.sign, heard.words))
    return reading if len(kept) == len(reading.heard) else replace(reading, heard=kept)


def _weighed(content: Content, text: str, flags: Mapping[str, bool], heard: Heard) -> Heard:
    """Hold what the phrases found against what such messages usually mean."""
    leans, weighing = likeness(content, text), content.weighing
    if leans is None:
        return replace(heard, alarming=heard.reading.is_alarming)
    level = max((finding.level for finding in (*heard.own.raised, *heard.other.raised)), default=Level.NONE)
    asked = (*heard.own.asks, *heard.other.asks)
    denies = any(one.certainty == "no" for one in heard.reading.heard)
    grave = odds(weighing.grave, leans, leans.grave, level, denies=denies)
    emergency = odds(weighing.emergency, leans, leans.emergency, level, denies=denies)
    says_little, raises = leans.words <= weighing.few_words, leans.words >= weighing.raises_from_words
    lively = _is_only_lively(content, heard.reading)
    at_once = not lively or leans.words >= weighing.raises_lively_from_words
    may_be = grave >= weighing.doubts_below
    if level >= Level.EMERGENCY and ((may_be and emergency >= weighing.no_emergency_below) or says_little):
        return heard
    if may_be and emergency >= weighing.emergency_from and raises:
        said = _as_said(content, text, flags, heard, Level.EMERGENCY, at_once=at_once)
        if said is not None:
            return said
    if level == Level.URGENT and (grave >= weighing.urgent_from or says_little):
        return heard
    if level >= Level.URGENT:
        heard = _doubted(heard)
    if grave >= weighing.urgent_from and raises:
        unsaid = replace(heard, alarming=True, unheard=True)
        return _as_said(content, text, flags, heard, Level.URGENT, at_once=at_once) or unsaid
    if level >= Level.URGENT:
        return heard
    if grave < weighing.silent_below and not says_little:
        calm = replace(heard, own=replace(heard.own, asks=()), other=replace(heard.other, asks=()))
        return replace(calm, alarming=heard.reading.cry)
    hints = leans.grave.gravest_part >= weighing.asks_part_from or leans.gravest_row >= weighing.asks_row_from
    asks_from = weighing.asks_from_lively if lively else weighing.asks_from
    unheard = not asked and grave >= asks_from and hints and not says_little
    return replace(heard, alarming=heard.reading.is_alarming or unheard, unheard=unheard)


def _is_only_lively(content: Content, reading: Reading) -> bool:
    """Return whether a cramp, restless legs or a figure of speech explains words like graver ones.

    That is where there is no sign beside it but of something slow, and no word of danger.
    """
    signs = any(one.is_present and content.signs[one.sign].group != SLOW for one in reading.heard)
    explained = reading.figurative or not EVERY_NIGHTS.isdisjoint(reading.feeling)
    return explained and not (signs or reading.worrying)


def _as_said(
    content: Content, text: str, flags: Mapping[str, bool], heard: Heard, level: Level, *, at_once: bool
) -> Heard | None:
    """Raise the row of a level that a message is most like, and ask the near ones; None if there is none.

    A row that hangs on a health question nobody has answered is asked and not raised; so is every row
    where it is not to be raised *at_once*.
    """
    of_level = [row for row, red_flag in content.red_flags.items() if red_flag.level == level]
    likely = most_like(content, text, of_level)
    if not likely:
        return None
    asked = (*heard.own.asks, *heard.other.asks)
    row, best = next((each for each in likely if each[0] in asked), likely[0])
    near = [other for other, found in likely if other != row and best - found <= content.weighing.near]
    waits = {one: _first_of(content, one, flags) for one in (row, *near)}
    sure = [
        one for one in waits if at_once and not waits[one] and not hangs_on_one_answer(content, one, flags)
    ][:1]
    findings = [replace(finding_for(content, one, Facts()), evidence=(f"{LIKE}{one}",)) for one in sure]
    about = heard.other if heard.is_of_other else heard.own
    asks = (*chain.from_iterable(waits.values()), row, *about.asks, *near)
    made = replace(
        about,
        raised=(*findings, *(one for one in about.raised if one.topic not in {f.topic for f in findings})),
        asks=tuple(one for one in dict.fromkeys(asks) if one not in sure and not waits.get(one))[:MOST_ASKED],
    )
    return replace(heard, other=made) if heard.is_of_other else replace(heard, own=made)


def _first_of(content: Content, rule: str, flags: Mapping[str, bool]) -> tuple[str, ...]:
    """The rows whose question a row waits for, because of what a clinician knows already."""
    return tuple(row for flag, row in content.red_flags[rule].asks_first.items() if flags.get(flag))


def is_of_likeness(finding: Finding) -> bool:
    """Return whether a finding rests on what a message is like, and on no sign."""
    return any(code.startswith(LIKE) for code in finding.evidence)


def _doubted(heard: Heard) -> Heard:
    """What was found is asked about instead."""
    doubted = tuple(sign for one in heard.own.raised for sign in sign_codes(one.evidence))
    return replace(heard, own=_asked(heard.own), other=_asked(heard.other), doubted=doubted)


def _asked(judged: Judged) -> Judged:
    rows = (finding.rule for finding in judged.raised)
    return replace(judged, raised=(), asks=tuple(dict.fromkeys((*rows, *judged.asks)))[:MOST_ASKED])


def said_of(
    content: Content,
    facts: Facts,
    sure: Iterable[str],
    doubtful: Iterable[str],
    flags: Mapping[str, bool],
    reading: Reading | None = None,
) -> Judged:
    """Judge the signs and flags of one person that were just said, sure ones and doubtful ones."""
    sure, doubtful = tuple(sure), tuple(doubtful)
    said = [f"sign:{sign}" for sign in (*sure, *doubtful)]
    said += [f"flag:{flag}" for flag in flags if not facts.flags.get(flag)]
    known = replace(facts, flags={**facts.flags, **flags})
    if reading is not None:
        said += [f"feeling:{one}" for one in reading.feeling] + [f"helped:{one}" for one in reading.helped]
        said += ["pain:"] if reading.pain is not None else []
        known = _with_answers(known, reading)
    if not said:
        return Judged()
    certain = replace(known, signs={**known.signs, **dict.fromkeys(sure, YES)})
    supposed = certain
    if doubtful:
        supposed = replace(certain, signs={**certain.signs, **dict.fromkeys(doubtful, YES)})
    return _judged(content, facts, certain, supposed, sure, tuple(dict.fromkeys(said)))


def changed(content: Content, before: Facts, after: Facts) -> Judged:
    """Judge what a night's answers say now and did not say before."""
    judged = _changed if before.signs or after.signs else _changed_without_signs
    return judged(content, before, after)


@kept(most=1024)
def _changed_without_signs(content: Content, before: Facts, after: Facts) -> Judged:
    """Judge the same of nights without a sign: most are, and many people answer alike."""
    return _changed(content, before, after)


def _changed(content: Content, before: Facts, after: Facts) -> Judged:
    earlier = _codes(before)
    said = tuple(code for code in _codes(after) if code not in earlier)
    said += ("pain:",) if after.pain is not None and after.pain != before.pain else ()
    return _judged(content, before, after, after, (), said) if said else Judged()


def sign_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the signs among evidence codes."""
    return tuple(code.removeprefix("sign:") for code in codes if code.startswith("sign:"))


def flag_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the flags among evidence codes."""
    return tuple(code.removeprefix("flag:") for code in codes if code.startswith("flag:"))


def hangs_on_one_answer(content: Content, rule: str, flags: Mapping[str, bool]) -> bool:
    """Return whether a row would fall with one profile question that nobody has answered."""
    open_ones = (flag for flag in content.profile if flag not in flags)
    return any(not _may_be(content, rule, Facts(flags={**flags, flag: False})) for flag in open_ones)


def _judged(
    content: Content,
    before: Facts,
    certain: Facts,
    supposed: Facts,
    sure: tuple[str, ...],
    said: tuple[str, ...],
) -> Judged:
    found = judge(content, certain)
    new = [finding for finding in found if _is_new(finding, said)]
    raised = tuple(finding for finding in new if finding.level >= Level.URGENT)
    standing = {finding.topic: finding.level for finding in found}
    perhaps = found if supposed is certain else judge(content, supposed)
    asked = [
        *(finding.rule for finding in perhaps if _is_new(finding, said)),
        *_left_open(content, before, supposed),
        *(
            rule
            for rule in _lone(content, sign_codes(said), sure, raised)
            if _may_be(content, rule, supposed)
        ),
    ]
    first = _asked_first(content, raised, certain)
    raised = tuple(finding for finding in raised if finding.rule not in first)
    asks = _gravest_first(content, (*first.values(), *_in_order(content, asked, standing)))
    asked_of = {code for code in said if asks}
    lower = tuple(
        finding for finding in new if finding.level < Level.URGENT and asked_of.isdisjoint(finding.evidence)
    )
    return Judged(raised, lower, asks, said)


def _asked_first(content: Content, raised: Iterable[Finding], facts: Facts) -> dict[str, str]:
    """The raised rows that wait for another row's question, because of what a clinician knows already."""
    return {
        finding.rule: row
        for finding in raised
        for flag, row in content.red_flags[finding.rule].asks_first.items()
        if facts.flags.get(flag)
        and not holds(content.red_flags[row].when, _whole(content, facts), unsure=True)
    }


def _whole(content: Content, facts: Facts) -> Facts:
    return replace(facts, signs=closed_over(content.signs, facts.signs))


def _left_open(content: Content, before: Facts, after: Facts) -> list[str]:
    """The rows that only an unanswered profile question or score holds back, now and not before."""
    now = in_doubt(content, after)
    earlier = in_doubt(content, before) if now else ()
    return [rule for rule in now if rule not in earlier]


def _lone(
    content: Content, signs: tuple[str, ...], sure: tuple[str, ...], raised: tuple[Finding, ...]
) -> list[str]:
    """The rows that a sign asks about when nothing grave rests on it."""
    resting = {code for finding in raised for code in finding.evidence}
    return [
        rule
        for sign in signs
        if sign in content.signs and not (sign in sure and f"sign:{sign}" in resting)
        for rule in content.signs[sign].asks
    ]


def _may_be(content: Content, rule: str, facts: Facts) -> bool:
    """Return whether a row could hold at all, given what the profile rules out."""
    flags = {flag: facts.flags.get(flag, True) for flag in content.profile}
    signs = dict.fromkeys(content.signs, UNSURE)
    anything = Facts(signs, flags, _options(content, "feeling"), _options(content, "helped"), WORST)
    return holds(content.red_flags[rule].when, anything, unsure=True)


def _options(content: Content, question: str) -> frozenset[str]:
    return frozenset(option.code for option in content.questions[question].options)


def _in_order(content: Content, rules: Iterable[str], standing: Mapping[str, Level]) -> tuple[str, ...]:
    """The grave rows that would say more than what is certain."""
    asked = [
        rule
        for rule in dict.fromkeys(rules)
        if content.red_flags[rule].level >= Level.URGENT
        and content.red_flags[rule].level > standing.get(content.red_flags[rule].topic, Level.NONE)
    ]
    return tuple(asked)


def _gravest_first(content: Content, rules: Iterable[str]) -> tuple[str, ...]:
    ordered = sorted(dict.fromkeys(rules), key=lambda rule: -content.red_flags[rule].level)
    return tuple(ordered[:MOST_ASKED])


def _is_new(finding: Finding, said: tuple[str, ...]) -> bool:
    return any(code in said or (code.startswith("pain:") and "pain:" in said) for code in finding.evidence)


def _codes(facts: Facts) -> tuple[str, ...]:
    return (
        *(f"sign:{sign}" for sign in facts.signs),
        *(f"flag:{flag}" for flag, yes in facts.flags.items() if yes),
        *(f"feeling:{one}" for one in sorted(facts.feeling)),
        *(f"helped:{one}" for one in sorted(facts.helped)),
        *((f"pain:{facts.pain}",) if facts.pain is not None else ()),
    )


def _with_answers(facts: Facts, reading: Reading) -> Facts:
    return replace(
        facts,
        feeling=facts.feeling | set(reading.feeling),
        helped=facts.helped | set(reading.helped),
        pain=reading.pain if reading.pain is not None else facts.pain,
        side=reading.side if reading.side in ("left", "right") else facts.side,
    )


def _sure(signs: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sign for sign, certainty in signs.items() if certainty == YES)


def _doubtful(reading: Reading, other: bool) -> tuple[str, ...]:
    """The signs in doubt of the writer, or of somebody else."""
    theirs = {heard.sign for heard in reading.heard if heard.about_other is other}
    mine = {heard.sign for heard in reading.heard if heard.about_other is not other}
    return tuple(sign for sign in reading.doubtful() if sign in theirs and (not other or sign not in mine))
