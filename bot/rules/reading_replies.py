"""Reads what somebody says came of a warning: seen, called, booked, not yet; what is in doubt stays so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bot.rules.reading_context import Surroundings
from bot.rules.reading_patterns import Compiler, Hit, Phrase, Text
from content.schema import Replies

KIND = "reply:"  # begins the kind of every phrase of a reply
VERDICT = "verdict"  # what somebody made of it, on the telephone perhaps: no button by itself
LATER = "later"  # nobody can see them before a day that is named
FAILED = frozenset({"not_yet", "cannot", LATER})  # not done, or not in time; wins over the words it stands on
LASTING = frozenset({"booked", "known"})  # "on Monday" beside it is a day to come, or does not matter
RANK = {LATER: 3, "cannot": 2, "not_yet": 1}
HEDGED_WITHIN = 1  # words between a hedge and what it puts in doubt
ABOUT_WITHIN = 4  # words in which an answer says what it is about
PARTS = frozenset({".", ",", "?"})


@dataclass(frozen=True)
class Replied:
    """What a message says came of a warning: codes of buttons, and whose it is."""

    codes: frozenset[str]
    is_doubtful: bool
    about_other: bool
    is_all: bool = False  # it says nothing else
    explains_cry: bool = False  # what looks like a cry is the number that was called, or somebody's advice


def meant(replied: Replied, offered: Collection[str]) -> str:
    """Return the one code of those offered that a reply surely means; empty when a button must say it."""
    codes = set(replied.codes)
    for said, first in (("seen", "going"), ("booked", "going")):
        if codes == {said, first}:  # called first, and then it came to more
            codes = {said}
    if codes == {LATER}:  # an appointment, or, where that is too late, nobody to be reached in time
        codes = {"booked" if "booked" in offered else "cannot"}
    if replied.is_doubtful or len(codes) != 1 or not codes <= set(offered):
        return ""
    return codes.pop()


def phrases_of(compiler: Compiler, replies: Replies) -> list[Phrase]:
    """Compile the phrases of replies."""
    listed: list[tuple[str, str, tuple[str, ...]]] = [
        ("ahead", "ahead", replies.ahead),
        ("ahead_alone", "ahead", replies.ahead_alone),
        ("hedge", "hedge", replies.hedges),
        ("elsewhere", "elsewhere", replies.elsewhere),
        ("void", "void", replies.void),
        ("quoting", "quoting", replies.quoting),
        ("about", "about", replies.about),
        *(("said", code, texts) for code, texts in replies.said.items()),
        *(("alone", code, texts) for code, texts in replies.alone.items()),
    ]
    return [
        phrase
        for kind, code, texts in listed
        for phrase in compiler.phrases(f"{KIND}{kind}", code, "yes", texts)
    ]


class ReplyReader:
    """Reads replies out of the places where their phrases were found."""

    def __init__(self, replies: Replies, limbs: frozenset[str]) -> None:
        self._beside = frozenset(replies.beside.split())
        self._matter = frozenset(replies.matter) | limbs

    def read(
        self, hits: Iterable[Hit], cries: Sequence[Hit], around: Surroundings, laid: Text
    ) -> Replied | None:
        """Read one message in which these places look like cries; None when it says nothing of the kind."""
        by_kind: dict[str, list[Hit]] = {}
        for hit in hits:
            if hit.phrase.kind.startswith(KIND):
                by_kind.setdefault(hit.phrase.kind.removeprefix(KIND), []).append(hit)
        if not by_kind.keys() & {"said", "alone", "ahead", "ahead_alone"}:
            return None
        found = _strongest(self._answers(by_kind, laid))
        ahead = [*by_kind.get("ahead", ()), *self._alone(by_kind.get("ahead_alone", ()), laid)]
        if not found:
            return Replied(frozenset(), is_doubtful=True, about_other=False) if ahead else None
        until = _advice_from(found, by_kind.get("quoting", ()), len(laid.words))
        told = [hit for hit in found if hit.start < until or hit.phrase.code in FAILED]
        codes, doubtful, owners = set[str](), False, set[bool]()
        for hit in told:
            code, doubt, other = self._judged(hit, around, by_kind, laid)
            codes.add(code)
            owners.add(other)
            doubtful = doubtful or doubt
        doubtful = doubtful or len(owners) > 1 or bool(by_kind.get("elsewhere"))
        if not codes <= FAILED:  # who has not called yet may well say when they will
            doubtful = doubtful or any(hit.start < until and not _is_on(hit, told) for hit in ahead)
        explained = all(hit.start >= until or _is_on(hit, told) for hit in cries)
        return Replied(frozenset(codes), doubtful, True in owners, self._is_all(told, laid), explained)

    def _answers(self, by_kind: dict[str, list[Hit]], laid: Text) -> list[Hit]:
        answers = [*by_kind.get("said", ()), *self._alone(by_kind.get("alone", ()), laid)]
        void = by_kind.get("void", ())
        answers = [hit for hit in answers if not any(hit.overlaps(one) for one in void)]
        done = [hit for hit in answers if hit.phrase.code != VERDICT]
        return done or answers  # what was done says more than what was said of it

    def _alone(self, hits: Sequence[Hit], laid: Text) -> list[Hit]:
        """Return the places beside which only small words stand."""
        texts = [word.text for word in laid.words]
        return [hit for hit in hits if self._is_small((*texts[: hit.start], *texts[hit.end :]))]

    def _is_all(self, told: Sequence[Hit], laid: Text) -> bool:
        covered = {at for hit in told for at in range(hit.start, hit.end)}
        return self._is_small(word.text for at, word in enumerate(laid.words) if at not in covered)

    def _is_small(self, words: Iterable[str]) -> bool:
        return all(word in self._beside or word[0].isdigit() for word in words)

    def _judged(
        self, hit: Hit, around: Surroundings, by_kind: dict[str, list[Hit]], laid: Text
    ) -> tuple[str, bool, bool]:
        """Return what one place says, whether it is in doubt, and whether it is somebody else's."""
        code = hit.phrase.code
        standing = around.standing(hit, lasting=code in LASTING, passing=True, forward=True)
        doubt = standing.asked or standing.past or self._is_hedged(hit, by_kind, laid)
        if code not in FAILED:
            is_said = standing.certainty == "yes"  # a "no" before it may be of something else: so it is asked
            doubt = doubt or not is_said or self._is_about_else(hit, by_kind, laid)
        return code, doubt, standing.about_other

    def _is_hedged(self, hit: Hit, by_kind: dict[str, list[Hit]], laid: Text) -> bool:
        for hedge in by_kind.get("hedge", ()):
            between = [word.text for word in laid.words[hedge.end : hit.start]]
            near = 0 <= hit.start - hedge.end <= HEDGED_WITHIN
            if near and PARTS.isdisjoint(between):
                return True
        return False

    def _is_about_else(self, hit: Hit, by_kind: dict[str, list[Hit]], laid: Text) -> bool:
        """Return whether an answer says that it is about something that may be another matter."""
        for mark in by_kind.get("about", ()):
            between = [word.text for word in laid.words[hit.end : mark.start]]
            if mark.end <= hit.start or "." in between or len(between) > ABOUT_WITHIN:
                continue
            named = [word.text for word in laid.words[mark.end : mark.end + ABOUT_WITHIN]]
            if self._matter.isdisjoint(named):
                return True
        return False


def _strongest(hits: Sequence[Hit]) -> list[Hit]:
    """Drop what stands on the words of a failure ("not seen a doctor" is not "seen a doctor")."""

    def rank(hit: Hit) -> int:
        return RANK.get(hit.phrase.code, 0)

    return [hit for hit in hits if not any(rank(one) > rank(hit) and one.overlaps(hit) for one in hits)]


def _advice_from(found: Sequence[Hit], quoting: Sequence[Hit], end: int) -> int:
    """Return the word at which somebody's advice begins after an answer; the end where none does."""
    first = min(hit.end for hit in found)
    return min((mark.start for mark in quoting if mark.start >= first), default=end)


def _is_on(hit: Hit, others: Iterable[Hit]) -> bool:
    return any(hit.overlaps(one) for one in others)
