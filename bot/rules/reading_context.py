"""Says of each thing found whether it is there, now, the writer's own, and more than a question.

It follows ConText, the field's method of triggers, scopes and terminators. It is our own because the ready
tools call "I can't feel my leg" negated, take a hundred times as long, and one of them logs every message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.rules.reading_patterns import Hit, Text

NEGATION_MOST = 12  # words a negation reaches at most
AFTER_MOST = 5
PAST_MOST = 14
PASSED_MOST = 8
SOFT_STOPS = frozenset({"then", "but", "after", "just", "."})  # "went numb, then fine": perhaps it is over
MARK_ALONE = 3  # a marker so near after a comma is an afterthought to what stood before it
CUTS = frozenset({",", "and"})
BARE_NO = frozenset({"no", "nope", "none", "negative"})
SENTENCE_ENDS = frozenset({".", "?"})
OPENERS = frozenset({",", "and", "or", "hi", "hello", "please", "ok", "hey", "so", "help", ":", "-"})
ALTERNATIVES = frozenset({"or", "nor", "/"})
DENIALS = frozenset({"not", "no", "never"})


@dataclass(frozen=True)
class Markers:
    """The single words by which scopes are cut."""

    stops: frozenset[str]
    subjects: frozenset[str]
    joins: frozenset[str]
    verbs: frozenset[str]
    asking_words: frozenset[str]


@dataclass(frozen=True)
class Standing:
    """How one thing found stands: "yes", "unsure" or "no", and whose, when and how it is said."""

    certainty: str
    about_other: bool
    past: bool
    asked: bool


class Surroundings:
    """All context triggers of one message, against which each thing found is held."""

    def __init__(self, text: Text, triggers: Sequence[Hit], units: Sequence[Hit], markers: Markers) -> None:
        self._words = [word.text for word in text.words]
        self._markers = markers
        by_kind: dict[str, list[Hit]] = {}
        for hit in sorted(triggers, key=lambda hit: (hit.start, -hit.end)):
            by_kind.setdefault(hit.phrase.code, []).append(hit)
        self._by_kind: Mapping[str, list[Hit]] = by_kind
        by_kind["asking"] = [hit for hit in by_kind.get("asking", ()) if self._is_asking(hit)]
        self._after = by_kind.get("negation_after", [])
        self._ahead = [hit for hit in by_kind.get("past_ahead", ()) if not self._is_denied(hit)]
        self._passed = by_kind.get("passed", [])
        over = [*by_kind.get("past", ()), *by_kind.get("settled", ()), *self._passed]
        by_kind["present"] = [hit for hit in by_kind.get("present", ()) if self._is_now(hit, over)]
        by_kind["supposing"] = _outside(by_kind.get("supposing", ()), by_kind.get("not_supposing", ()))
        inert = [*by_kind.get("not_negation", ()), *units]
        self._scopes = [
            (hit, *self._scope(hit, wide=kind == "negation_wide"))
            for kind in ("negation", "negation_wide")
            for hit in by_kind.get(kind, ())
            if not any(unit.start <= hit.start < unit.end for unit in inert)
        ]

    def standing(
        self,
        hit: Hit,
        *,
        lasting: bool = False,
        usual: bool = False,
        passing: bool = False,
        threat: bool = False,
        forward: bool = False,
    ) -> Standing:
        """Hold one thing found against everything around it; *forward*: only what stands before denies it."""
        certainty = (
            self._negated(hit, forward=forward) or ("" if passing else self._over(hit)) or hit.phrase.grade
        )
        past = self._marked("past", hit) or (not passing and self._marked("settled", hit))
        past = past or any(mark.end <= hit.start and self._belongs(mark, hit) for mark in self._ahead)
        other = self._is_other(hit)
        past = past or (other and self._told_of_the_past(hit))
        past = past and not self._is_present(hit)
        asked, doubted = self._asked(hit, threat=threat)
        if asked and not doubted and certainty == "unsure":
            certainty = "yes"  # only a question: nothing to ask back
        elif certainty == "yes" and (doubted or (not threat and self._excused(hit))):
            certainty = "unsure"
        if not lasting and certainty != "no":
            if self._marked("chronic", hit) and not self._is_present(hit):
                past, certainty = past or usual, "unsure"
            elif self._marked("recent", hit) and not self._is_present(hit):
                certainty = "unsure"
        return Standing(certainty, other, past, asked)

    # --- negation -------------------------------------------------------------------------------------

    def _negated(self, hit: Hit, *, forward: bool) -> str:
        """Return "no" when negated, "unsure" when only perhaps, "" when not."""
        found = ""
        for trigger, end, weak_from in self._scopes:
            before = trigger.end <= hit.start < end
            inside = hit.start <= trigger.start and trigger.end <= hit.end <= end
            if not (before or inside) or (inside and hit.phrase.negative):
                continue
            if hit.start < weak_from or inside:
                return "no"
            if not (hit.phrase.joined and self._words[hit.start - 1] == ","):  # "no fever, leg swollen"
                found = "unsure"
        after = () if forward else self._after
        return "no" if any(self._denied_after(trigger, hit) for trigger in after) else found

    def _over(self, hit: Hit) -> str:
        """Return "no" when it is said to have gone, "unsure" when that may be meant, "" when not."""
        found = ""
        for mark in self._passed:
            between = self._words[hit.end : mark.start]
            if not 0 <= mark.start - hit.end <= PASSED_MOST:
                continue
            ends = [at for at, word in enumerate(between) if word in self._markers.stops or word in CUTS]
            if any(between[at] not in SOFT_STOPS | CUTS for at in ends):
                continue
            if not ends:
                return "no"
            if self._markers.subjects.issuperset(between[ends[-1] + 1 :]):
                found = "unsure"
        return found

    def _denied_after(self, trigger: Hit, hit: Hit) -> bool:
        """Return whether a negation that follows is meant for this ("chest pain: no")."""
        between = self._words[hit.end : trigger.start]
        if not 0 <= trigger.start - hit.end <= AFTER_MOST or not self._markers.stops.isdisjoint(
            set(between) - {"?"}
        ):
            return False
        if self._words[trigger.start] in BARE_NO:
            following = self._words[trigger.end] if trigger.end < len(self._words) else "."
            return len(between) <= 1 and (following in self._markers.stops or following in (",", "and"))
        return not (CUTS & set(between)) or not self._is_clause(hit.end + 1)

    def _scope(self, trigger: Hit, *, wide: bool) -> tuple[int, int]:
        """Return where a negation ends, and from where on it is only perhaps meant."""
        last = min(len(self._words), trigger.end + NEGATION_MOST)
        weak_from = last
        for index in range(trigger.end, last):
            word = self._words[index]
            if word in self._markers.stops:
                return index, min(weak_from, index)
            if not wide and index > trigger.end and self._begins_clause(index):
                return index, min(weak_from, index)
            if word in (",", "and", "/") and self._is_clause(index + 1):
                return index, min(weak_from, index)
            if word == "," and weak_from == last and not self._has_alternative(index + 1, last):
                weak_from = index
        return last, weak_from

    def _begins_clause(self, index: int) -> bool:
        return (
            self._words[index] in self._markers.subjects and self._words[index - 1] not in self._markers.joins
        )

    def _is_clause(self, start: int) -> bool:
        """Return whether the words from here to the next comma or stop have a subject or verb."""
        for index in range(start, len(self._words)):
            word = self._words[index]
            if word in self._markers.stops or (word in (",", "and") and index > start):
                return False
            if word in self._markers.verbs or self._begins_clause(index):
                return True
        return False

    def _has_alternative(self, start: int, last: int) -> bool:
        for word in self._words[start:last]:
            if word in self._markers.stops:
                return False
            if word in ALTERNATIVES:
                return True
        return False

    # --- time -----------------------------------------------------------------------------------------

    def _marked(self, kind: str, hit: Hit) -> bool:
        """Return whether a marker belongs to the hit: same clause, near, nothing else between."""
        return any(self._belongs(mark, hit) for mark in self._by_kind.get(kind, ()))

    def _told_of_the_past(self, hit: Hit) -> bool:
        """Return whether the sentence spoke of the past before ("she had it in 2019, she could not ...")."""
        return any(
            mark.end <= hit.start and SENTENCE_ENDS.isdisjoint(self._words[mark.end : hit.start])
            for mark in self._by_kind.get("past", ())
        )

    def _belongs(self, mark: Hit, hit: Hit) -> bool:
        first, last = min(mark.end, hit.end), max(mark.start, hit.start)
        between = self._words[first:last] if first < last else []
        if len(between) > PAST_MOST or not self._markers.stops.isdisjoint(between):
            return False
        cuts = [at for at in range(first, last) if self._words[at] in CUTS]
        if not cuts:
            return True
        if mark.start < hit.start:  # "In 2010, I had a clot"
            return (
                mark.start <= 1 and len(cuts) == 1 and (cuts[0] == mark.end or self._words[cuts[0]] == "and")
            )
        return mark.start - cuts[-1] <= MARK_ALONE and not self._begins_clause(cuts[-1] + 1)

    def _is_now(self, mark: Hit, over: Sequence[Hit]) -> bool:
        """Return whether a word of the present is one: not the "now" of "fine now", nor "never came back"."""
        return not self._is_denied(mark) and bool(_outside([mark], over))

    def _is_denied(self, mark: Hit) -> bool:
        return mark.start > 0 and self._words[mark.start - 1] in DENIALS

    def _is_present(self, hit: Hit) -> bool:
        return self._marked("present", hit)

    # --- questions ------------------------------------------------------------------------------------

    def _asked(self, hit: Hit, *, threat: bool) -> tuple[bool, bool]:
        """Return whether it is asked or supposed, and whether it may be the writer's own all the same."""
        if self._is_elsewhere(hit):
            return True, False
        for trigger in self._by_kind.get("hypothetical", ()):
            if trigger.start < hit.end and hit.start < self._clause_end(trigger.end):
                return True, False
        for trigger in self._by_kind.get("telling", ()):
            if trigger.start <= hit.start <= self._clause_end(trigger.end):
                return False, False
        for kind in ("supposing", "about", "asking"):
            for trigger in self._by_kind.get(kind, ()):
                if not trigger.start < hit.start < self._clause_end(trigger.end):
                    continue
                own = self._own_between(trigger.start, hit.end)
                if own and threat:
                    return False, False
                return (True, own) if kind == "supposing" else (not own, own)
        return False, False

    @property
    def is_question(self) -> bool:
        """Return whether the message asks for something."""
        return bool(self._by_kind["asking"] or self._by_kind.get("about"))

    def _is_asking(self, hit: Hit) -> bool:
        """Return whether a question word really begins a question."""
        if hit.start > 0 and self._words[hit.start - 1] not in OPENERS | self._markers.stops:
            return False
        if hit.end - hit.start > 1:  # a whole opening ("can statins")
            return True
        following = self._words[hit.end] if hit.end < len(self._words) else ""
        if following == "not":
            return False
        rest = self._words[hit.end :]
        end = next((word for word in rest if word in SENTENCE_ENDS), ".")
        return end == "?" or following in self._markers.asking_words

    def _clause_end(self, start: int) -> int:
        for index in range(start, len(self._words)):
            word = self._words[index]
            if word in self._markers.stops:
                return index
            if word in (",", "and") and index + 1 < len(self._words) and self._begins_clause(index + 1):
                return index
        return len(self._words)

    def _own_between(self, start: int, end: int) -> bool:
        return any(start <= mark.start < end for mark in self._by_kind.get("selves", ()))

    def _excused(self, hit: Hit) -> bool:
        """Return whether a harmless cause stands beside it ("from laughing")."""
        for mark in self._by_kind.get("excuses", ()):
            if self._is_denied(mark):
                continue
            first, last = min(mark.end, hit.end), max(mark.start, hit.start)
            if last - first <= PASSED_MOST and SENTENCE_ENDS.isdisjoint(self._words[first:last]):
                return True
        return False

    def _is_elsewhere(self, hit: Hit) -> bool:
        """Return whether an animal or a story is the nearest thing before it that it can be said of."""
        return self._is_nearest("animals", hit, ("selves", "others")) or self._is_nearest(
            "stories", hit, ("selves",)
        )

    def _is_nearest(self, kind: str, hit: Hit, rivals: Sequence[str]) -> bool:
        place = max((mark.start for mark in self._by_kind.get(kind, ()) if mark.start < hit.end), default=-1)
        if place < 0 or not SENTENCE_ENDS.isdisjoint(self._words[place : hit.start]):
            return False
        return not any(
            place < mark.start < hit.end and self._words[mark.start] != "own"
            for rival in rivals
            for mark in self._by_kind.get(rival, ())
        )

    # --- whose ----------------------------------------------------------------------------------------

    def _is_other(self, hit: Hit) -> bool:
        """Return whether the nearest owner at or before the hit is somebody else."""
        owner, place = False, -1
        others = self._by_kind.get("others", ())
        for mark in others:
            if place < mark.start < hit.end:
                owner, place = True, mark.start
        for mark in self._by_kind.get("selves", ()):
            covered = any(other.start <= mark.start < other.end for other in others)
            if place < mark.start < hit.end and not covered:
                owner, place = False, mark.start
        return owner


def _outside(hits: Sequence[Hit], others: Sequence[Hit]) -> list[Hit]:
    """Return the places that none of the others covers."""
    return [hit for hit in hits if not any(one.start <= hit.start and hit.end <= one.end for one in others)]
