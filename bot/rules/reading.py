"""Reads free text for signs and answers; what is sure, what is doubtful, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from bot.rules.reading_answers import Answers, read_answers
from bot.rules.reading_context import Markers, Standing, Surroundings
from bot.rules.reading_courtesies import CourtesyReader
from bot.rules.reading_meaning import Meanings
from bot.rules.reading_patterns import Compiler, Finder, Hit, Phrase, Text, masked
from bot.rules.reading_replies import Replied, ReplyReader, phrases_of
from bot.rules.reading_words import Speller, Word
from content.schema import Phrases

FEW_WORDS = 3
STRANGE_SHARE = 3  # one word in so many that nobody knows: another language, or no language
CRY_MOST = 4  # words of a message in which "help" alone is a cry
CONNECTIVES = frozenset({",", "and", "because", "so", "now"})
RANK = {"no": 0, "unsure": 1, "yes": 2}
SINGLE_WORDS = {"barriers", "stops", "subjects", "joins", "verbs", "asking_words", "topic", "figures"}
PARTS_EXACT = 3  # a meaning joined of so many parts is exact itself
ONE_LEG: Mapping[str, str] = MappingProxyType({"side:left": "left", "side:right": "right"})
BETWEEN = "nouns"  # the concept of things that part what stands around them
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Heard:
    """One sign read in a message, and how it stands there."""

    sign: str
    certainty: str  # "yes", "unsure", "no" (negated)
    about_other: bool
    past: bool
    asked: bool  # a question about it, or a supposition
    words: str  # the words it was read from; never logged

    @property
    def is_present(self) -> bool:
        """Return whether somebody has it now."""
        return self.certainty != "no" and not self.past and not self.asked


@dataclass(frozen=True)
class Reading:
    """Everything understood of one message; it may raise a level and never lowers one."""

    heard: tuple[Heard, ...] = ()
    flags: tuple[str, ...] = ()  # what it says of the writer's own profile ("I am diabetic")
    others_flags: tuple[str, ...] = ()  # the same of somebody else ("my mum is diabetic")
    pain: int | None = None
    side: str | None = None
    legs: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # own sign -> the leg named in its words
    feeling: tuple[str, ...] = ()
    awake: str | None = None
    helped: tuple[str, ...] = ()
    longest: str | None = None
    tired: str | None = None
    no_trouble: bool = False
    took: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # answer code -> words it was read from
    cry: bool = False  # "help", "SOS", a universal word of another language
    calls: bool = False  # the cry is for an ambulance
    is_question: bool = False
    meaningful: bool = True  # False: three words or more that mean nothing to us
    figurative: bool = False  # a figure of speech stands in it
    worrying: bool = False  # a word of danger stands there: if nothing was raised, ask the warning signs
    seen: bool = False  # says that a clinician has seen or treated it
    replied: Replied | None = None  # what it says came of a warning
    courtesy: str = ""  # "thanks", "hello": all that it says

    def signs(self) -> dict[str, str]:
        """Return the writer's own present signs, each "yes" or "unsure"."""
        return _best(heard for heard in self.heard if heard.is_present and not heard.about_other)

    def others_signs(self) -> dict[str, str]:
        """Return the present signs of somebody else the writer speaks for."""
        return _best(heard for heard in self.heard if heard.is_present and heard.about_other)

    @property
    def is_open(self) -> bool:
        """Return whether the warning signs must be asked when nothing was made of the message."""
        return self.cry or self.worrying or not self.meaningful

    @property
    def is_alarming(self) -> bool:
        """Return whether a cry or a word of danger stands there, whatever else the message says."""
        return self.cry or self.worrying

    @property
    def tells_only_a_cramp(self) -> bool:
        """Return whether a cramp is told, and no sign, word of danger or call for an ambulance beside it."""
        signs = any(heard.is_present for heard in self.heard)
        return "cramp" in self.feeling and not (signs or self.worrying or self.calls)

    def doubtful(self) -> tuple[str, ...]:
        """List the signs, own or another's, that need the exact question."""
        certain = {heard.sign for heard in self.heard if heard.is_present and heard.certainty == "yes"}
        maybe = (heard.sign for heard in self.heard if heard.certainty == "unsure" and not heard.past)
        return tuple(dict.fromkeys(sign for sign in maybe if sign not in certain))


def read(text: str, phrases: Phrases) -> Reading:
    """Read one message with one vocabulary."""
    return _reader(phrases).read(text)


def prepare(phrases: Phrases) -> Iterator[None]:
    """Compile a vocabulary bit by bit, so that no message has to wait; whoever calls may rest in between."""
    for phrase in _reader(phrases).every_phrase():
        _ = phrase.regex
        yield


@lru_cache(maxsize=16)
def _reader(phrases: Phrases) -> _Reader:
    return _Reader(phrases)


class _Reader:
    """A vocabulary, compiled once."""

    def __init__(self, phrases: Phrases) -> None:
        context = phrases.context
        self._phrases = phrases
        self._limbs = frozenset(phrases.limbs)
        self._named = self._limbs | frozenset(phrases.things)
        self._markers = Markers(
            frozenset(context.stops),
            frozenset(context.subjects),
            frozenset(context.joins),
            frozenset(context.verbs),
            frozenset(context.asking_words),
        )
        filler = frozenset(phrases.filler.split())
        self._barriers = frozenset(context.barriers)
        compiler = Compiler(phrases.classes, filler, self._barriers)
        self._compiler = compiler
        self._figures = Finder(compiler.phrases("figure", "figure", "yes", context.figures))
        signs = self._sign_phrases(compiler)
        self._signs = Finder(signs)
        self._literal = Finder(phrase for phrase in signs if phrases.signs[phrase.code].literal)
        self._context = Finder(
            phrase
            for code, texts in context
            if code not in SINGLE_WORDS
            for phrase in compiler.phrases("context", code, "yes", texts)
        )
        self._extras = Finder(self._extra_phrases(compiler))
        self._replies = ReplyReader(phrases.replies, self._limbs)
        self._courtesies = CourtesyReader(compiler, phrases.courtesies)
        self._meanings = Meanings(phrases.meanings.concepts, self._rules(), BETWEEN, self._barriers)
        known = compiler.vocabulary | filler | self._meanings.words
        self._topic = frozenset(context.topic) | self._named
        self._speller = Speller(
            phrases.spelling, known, phrases.common.split(), self._named, self._meanings.stems
        )

    def every_phrase(self) -> list[Phrase]:
        """Return every phrase of the vocabulary."""
        finders = (self._figures, self._signs, self._context, self._extras)
        return [*(phrase for finder in finders for phrase in finder.phrases()), *self._courtesies.phrases()]

    def read(self, text: str) -> Reading:
        """Read one message."""
        typed = self._speller.words(text)
        first = self._compiler.lay_out(typed)
        meant_so = self._literal.hits(first)
        figures = [hit for hit in self._figures.hits(first) if not any(map(hit.overlaps, meant_so))]
        words = self._carried(masked(first, figures))
        laid = self._compiler.lay_out(words)
        meant, own_negations = self._meanings.hits(words)
        phrased = self._signs.hits(laid)
        found = [*phrased, *(hit for hit in meant if hit.phrase.kind == "sign")]
        hits = self._rivals_removed(_clearest(found))
        triggers = self._context.hits(laid)
        units = [*(hit for hit in phrased if hit.phrase.negative), *own_negations]
        around = Surroundings(laid, triggers, units, self._markers)
        heard = tuple(self._heard(hit, around, text, laid) for hit in sorted(hits, key=in_order))
        extras = self._extras.hits(laid)
        flags = self._flags(extras, around, about_other=False)
        others_flags = self._flags(extras, around, about_other=True)
        answering = [hit for hit in extras if hit.phrase.kind == "answer"]
        answers = read_answers(laid, text, answering, around)
        said = {hit.phrase.code for hit in triggers if not self._is_small_talk(hit, typed)}
        if self._worries([hit for hit in meant if hit.phrase.kind == "worry"], around):
            said.add("worries")
        if figures:
            said.add("figures")
        made = self._reading(
            text, typed, tuple(dict.fromkeys(heard)), flags, answers, said, around.is_question
        )
        legs = self._legs(hits, answering, around, laid)
        cries = [hit for hit in triggers if hit.phrase.code in ("cries", "foreign")]
        replied = self._replies.read(extras, cries, around, laid)
        made = replace(made, others_flags=others_flags, legs=legs, replied=replied)
        return replace(made, courtesy=self._courtesies.read(text, first))

    def _reading(
        self,
        text: str,
        typed: list[Word],
        heard: tuple[Heard, ...],
        flags: tuple[str, ...],
        answers: Answers,
        said: set[str],
        asks: bool,
    ) -> Reading:
        spelled = [word for word in typed if word.text.isalpha()]
        unknown = sum(not word.known for word in spelled)
        cry = "foreign" in said or ("cries" in said and not any(one.is_present for one in heard))
        question = asks or text.rstrip().endswith("?")
        topical = any(word.text in self._topic for word in typed)
        taken = bool(
            heard or flags or answers.took or cry or question or topical or said & {"chat", "figures"}
        )
        return Reading(
            heard=heard,
            flags=flags,
            pain=answers.pain,
            side=answers.side,
            feeling=answers.feeling,
            awake=answers.awake,
            helped=answers.helped,
            longest=answers.longest,
            tired=answers.tired,
            no_trouble=answers.no_trouble,
            took=answers.took,
            cry=cry,
            calls="calls" in said,
            figurative="figures" in said,
            worrying="worries" in said,
            is_question=question,
            meaningful=taken or len(spelled) < FEW_WORDS or unknown * STRANGE_SHARE < len(spelled),
            seen="seen" in said,
        )

    def _is_small_talk(self, hit: Hit, typed: list[Word]) -> bool:
        """Return whether a single cry ("help") stands in a message that says more ("did that help?")."""
        words = sum(word.text.isalnum() for word in typed)
        return hit.phrase.code == "cries" and hit.end - hit.start == 1 and words > CRY_MOST

    def _rivals_removed(self, hits: list[Hit]) -> list[Hit]:
        """Drop what a more exact sign of the same words stands instead of."""
        exact = [(hit, self._phrases.signs[hit.phrase.code].instead_of) for hit in hits]
        return [
            hit
            for hit in hits
            if not any(
                hit.phrase.code in rivals and hit.overlaps(one) and hit.phrase.parts < PARTS_EXACT
                for one, rivals in exact
                if rivals
            )
        ]

    def _heard(self, hit: Hit, around: Surroundings, text: str, laid: Text) -> Heard:
        code = hit.phrase.code
        entry = self._phrases.signs[code]
        standing: Standing = around.standing(
            hit, lasting=entry.lasting, usual=entry.usual, passing=entry.passing, threat=entry.threat
        )
        return Heard(
            code,
            standing.certainty,
            standing.about_other,
            standing.past,
            standing.asked,
            quoted(hit, text, laid),
        )

    def _legs(
        self, hits: list[Hit], answering: list[Hit], around: Surroundings, laid: Text
    ) -> dict[str, str]:
        """Return the writer's own signs in whose very words one leg is named, and no other."""
        sides = [hit for hit in answering if hit.phrase.code in ONE_LEG and self._names_limb(hit, laid)]
        found: dict[str, set[str]] = {}
        for hit in hits:
            standing = around.standing(hit)
            if standing.certainty != "no" and not standing.about_other and not standing.asked:
                named = {ONE_LEG[side.phrase.code] for side in sides if side.overlaps(hit)}
                found.setdefault(hit.phrase.code, set()).update(named or {""})
        return {sign: named.pop() for sign, named in found.items() if len(named) == 1 and "" not in named}

    def _names_limb(self, hit: Hit, laid: Text) -> bool:
        return any(word.text in self._limbs for word in laid.words[hit.start : hit.end])

    def _worries(self, hits: list[Hit], around: Surroundings) -> bool:
        """Return whether something of danger stands there as somebody's present state."""
        found = [around.standing(hit) for hit in hits]
        return any(one.certainty != "no" and not one.past and not one.asked for one in found)

    def _flags(self, extras: Iterable[Hit], around: Surroundings, *, about_other: bool) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for hit in extras:
            if hit.phrase.kind == "flag":
                standing = around.standing(hit, lasting=True)
                said = standing.certainty != "no" and not standing.asked
                if said and standing.about_other is about_other:
                    found[hit.phrase.code] = None
        return tuple(found)

    def _carried(self, words: list[Word]) -> list[Word]:
        """Put the leg last spoken of in the place of "it", and before a clause that names none."""
        made: list[Word] = []
        last: Word | None = None
        limb: Word | None = None
        for spoken in self._clauses(words):
            clause = spoken
            if limb is not None and not any(word.text in self._named or word.text == "it" for word in clause):
                clause = self._with_limb(clause, limb)
            for at, word in enumerate(clause):
                if word.text in self._named:
                    last = word
                if word.text in self._limbs:
                    limb = word
                stands = last is not None and word.text == "it" and self._begins(clause, at)
                made.append(Word(last.text, word.source) if stands and last is not None else word)
        return made

    def _begins(self, clause: list[Word], at: int) -> bool:
        """Return whether a word begins what a clause says."""
        return (
            at == 0
            or clause[at - 1].text in CONNECTIVES
            or clause[at - 1].text in self._markers.joins
            or clause[0].text in self._barriers
        )

    def _with_limb(self, clause: list[Word], limb: Word) -> list[Word]:
        begin = 1 if clause[0].text in self._barriers else 0
        if len(clause) <= begin or clause[begin].text in self._markers.subjects:
            return clause
        return [*clause[:begin], Word(limb.text, limb.source), *clause[begin:]]

    def _clauses(self, words: list[Word]) -> list[list[Word]]:
        clauses: list[list[Word]] = [[]]
        for word in words:
            if word.text in self._barriers:
                clauses.append([])
            clauses[-1].append(word)
        return [clause for clause in clauses if clause]

    def _sign_phrases(self, compiler: Compiler) -> list[Phrase]:
        return [
            phrase
            for code, entry in self._phrases.signs.items()
            for grade, texts in (("yes", entry.sure), ("unsure", entry.near))
            for phrase in compiler.phrases("sign", code, grade, texts)
        ]

    def _rules(self) -> Iterator[tuple[str, str, str, str]]:
        meanings = self._phrases.meanings
        for code, entry in meanings.signs.items():
            for grade, texts in (("yes", entry.sure), ("unsure", entry.ask)):
                yield from (("sign", code, grade, text) for text in texts)
        yield from (("worry", "worries", "unsure", text) for text in meanings.worries.meanings)

    def _extra_phrases(self, compiler: Compiler) -> list[Phrase]:
        made = [
            phrase
            for flag, texts in self._phrases.flags.items()
            for phrase in compiler.phrases("flag", flag, "yes", texts)
        ]
        for question, options in self._phrases.answers.items():
            for option, texts in options.items():
                made.extend(compiler.phrases("answer", f"{question}:{option}", "yes", texts))
        made.extend(phrases_of(compiler, self._phrases.replies))
        return made


def in_order(hit: Hit) -> tuple[int, int, str]:
    """Return what hits are ordered by, so that every run names the same signs in the same order."""
    return hit.start, hit.end, hit.phrase.code


def quoted(hit: Hit, text: str, laid: Text) -> str:
    """Return the words of the message that were read."""
    sources = [word.source for word in laid.words[hit.start : hit.end]]
    return text[min(start for start, _ in sources) : max(end for _, end in sources)]


def _clearest(hits: list[Hit]) -> list[Hit]:
    """Drop the vague readings of a sign where a clear one of the same words is there."""
    clear = [hit for hit in hits if hit.phrase.grade == "yes"]
    return [
        hit
        for hit in hits
        if hit.phrase.grade == "yes"
        or not any(one.phrase.code == hit.phrase.code and hit.overlaps(one) for one in clear)
    ]


def _best(heard: Iterable[Heard]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in heard:
        if RANK[one.certainty] > RANK[found.get(one.sign, "no")]:
            found[one.sign] = one.certainty
    return found
