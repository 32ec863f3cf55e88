"""Finds what the content of one language contradicts itself in, and says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import pairwise, product
from string import Formatter
from typing import TYPE_CHECKING, Final, get_args

from content.schema import (
    Condition,
    Gate,
    Level,
    Lifetime,
    Option,
    OtherWords,
    Part,
    Piece,
    Question,
    RedFlag,
    RedFlagWords,
    Review,
)

if TYPE_CHECKING:
    from content.loader import Content

Complaints = Iterator[str]

LONGEST_MESSAGE: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_LABEL: Final = 40
LONGEST_PRESS: Final = 64  # bytes that a button can carry
MOST_STAND_INS: Final = 4
TAGS: Final = ("b", "i", "u", "code")
LIFETIMES: Final[dict[Level, tuple[Lifetime, ...]]] = {
    Level.EMERGENCY: ("emergency", "despair"),
    Level.URGENT: ("urgent", "despair"),
    Level.SOON: ("soon",),
    Level.ROUTINE: ("routine",),
}
NO_TROUBLE: Final = "no_trouble"  # read in words as a whole quiet night, not as one answer
ENDINGS: Final = {"seen", "going", "safe", "booked", "known", "mistap", "gone"}
# A leg that may hold a clot is left alone: then the evening has no stretch, and no piece may stand in.
MAY_BE_EMPTY: Final[frozenset[Part]] = frozenset({"stretch"})
# What is said to somebody in danger, with the gaps that are filled there: one that is missing or misspelt
# would be found out only then, so it stops the start.
SAID_IN_DANGER: Final[Mapping[str, str]] = {
    "card_numbers_emergency": "emergency",
    "card_numbers_urgent": "health emergency",
    "card_numbers_later": "health",
    "card_numbers_despair": "crisis emergency",
    "card_numbers_despair_other": "crisis emergency",
    "card_side": "side",
    "card_other": "",
    "card_foot": "",
    "card_repeat": "",
    "card_repeat_last": "",
    "card_repeat_last_other": "",
    "card_repeat_despair": "",
    "card_repeat_despair_other": "",
    "sent_again": "",
    "told_before": "action emergency",
    "told_before_other": "action emergency",
    "told_before_despair": "action emergency",
    "reply_taken": "said label",
    "reply_which": "said",
    "reply_confirm": "line",
    "reply_taken_back": "",
    "follow_up": "day line action",
    "follow_up_despair": "day",
    "follow_up_other": "day line action",
    "cannot_reach_emergency": "emergency line",
    "cannot_reach_urgent": "health emergency line",
    "cannot_reach_later": "health line",
    "cannot_reach_despair": "crisis emergency",
    "cannot_reach_despair_other": "crisis emergency",
    "script_other": "line",
    "question_lead_emergency": "emergency",
    "question_lead_urgent": "emergency",
    "question_lead_despair": "crisis emergency",
    "question_lead_despair_other": "crisis emergency",
    "question_lead_mistap": "",
    "question_which": "",
    "question_which_despair": "",
    "question_taken": "",
    "urgent_areas": "emergency",
    "urgent_area": "area lines",
    "urgent_numbers": "emergency health crisis",
    "signs_skipped_twice": "emergency",
    "number_alone": "number",
    "number_named": "number name",
    "number_fallback": "number",
    "number_local": "",
    "number_ask_near": "",
    "number_unconfirmed": "",
    "number_stale": "date",
    "no_health_line": "",
    "no_crisis_line": "",
    "contact_name": "",
    "button_call": "number",
    "button_read": "",
    "button_going": "",
    "button_safe": "",
    "button_safe_talked": "",
    "button_safe_other": "",
    "button_safe_now_other": "",
    "button_seen": "",
    "button_seen_other": "",
    "button_with_help": "",
    "button_with_help_other": "",
    "button_mistap": "",
    "button_not_yet": "",
    "button_cannot": "",
    "button_other_worry": "",
    "button_why": "",
    "button_yes": "",
    "button_no": "",
    "button_unsure": "",
    "button_none_of_these": "",
    "cramp_now": "",
    "cramp_now_no_rubbing": "",
    "cramp_withheld": "emergency",
    "cramp_on": "emergency",
    "cramp_on_withheld": "emergency",
    "stranger": "emergency",
    "media": "emergency",
    "location_unasked": "emergency",
    "country_settled": "value emergency",
    "ask_country_again": "zone there country emergency",
    "invite_needed": "emergency",
    "invite_refused": "emergency",
    "something_failed": "emergency",
    "help": "lines emergency",
}


def problems(content: Content) -> list[str]:
    """Return every contradiction found, as `file: key: what is wrong and what to write`."""
    checks: tuple[Callable[[Content], Complaints], ...] = (
        _pairs,
        _signs,
        _red_flags,
        _red_flag_words,
        _urgent_order,
        _lifecycles,
        _gates,
        _evening,
        _tips_and_causes,
        _checkin,
        _checkin_words,
        _numbers,
        _labels,
        _texts,
        _messages,
        _in_danger,
        _phrases,
        _examples,
    )
    return [complaint for check in checks for complaint in check(content)]


# --- words belong to rules ------------------------------------------------------------------------------


def _pairs(content: Content) -> Complaints:
    """Every rule has words, and every words entry a rule."""
    both: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        "signs": (content.signs, content.sign_words),
        "red_flags": (content.red_flags, content.red_flag_words),
        "patterns": (content.patterns, content.pattern_words),
        "tips": (content.tips, content.tip_words),
        "pieces": (content.pieces, content.piece_words),
        "causes": (content.causes, content.cause_words),
        "routine": (content.routine, content.routine_words),
        "profile": (content.profile, content.profile_words),
        "checkin": (content.questions, content.question_words),
    }
    for name, (rules, words) in both.items():
        for key in sorted({*rules} - {*words}):
            yield f"{content.language}/{name}.toml: {key}: has a rule and no words; write them"
        for key in sorted({*words} - {*rules}):
            yield f"rules/{name}.toml: {key}: has words and no rule; write the rule or remove the words"


def unknown(where: str, kind: str, codes: Iterable[str], known: Collection[str]) -> Complaints:
    """Complain of every code that is not known."""
    for code in codes:
        if code not in known:
            yield f"{where}: there is no {kind} {code!r}; write one that exists, or add it"


def vouched(content: Content, where: str, sources: Collection[str], review: Review) -> Complaints:
    """Complain of a piece without known sources, or with half a review."""
    yield from unknown(where, "source", sources, content.sources)
    if not sources:
        yield f"{where}: names no source; write one, J for our own judgement"
    if bool(review.reviewer) != bool(review.reviewed_on):
        yield f"{where}: a review needs both, reviewer and reviewed_on; write the other, or neither"


# --- signs and red flags --------------------------------------------------------------------------------


def _signs(content: Content) -> Complaints:
    for name, sign in content.signs.items():
        yield from unknown(f"rules/signs.toml: {name}.implies", "sign", sign.implies, content.signs)
        yield from unknown(f"rules/signs.toml: {name}.asks", "red flag", sign.asks, content.red_flags)


def _red_flags(content: Content) -> Complaints:
    for rule, red_flag in content.red_flags.items():
        where = f"rules/red_flags.toml: {rule}"
        yield from vouched(content, where, red_flag.sources, red_flag.review)
        yield from unknown(f"{where}.withholds", "technique", red_flag.withholds, content.gates)
        yield from _condition(content, f"{where}.when", red_flag.when)
        yield from _standing(where, red_flag)
        yield from unknown(f"{where}.asks_first", "flag", red_flag.asks_first, content.profile)
        yield from unknown(f"{where}.asks_first", "red flag", red_flag.asks_first.values(), content.red_flags)
        if red_flag.level >= Level.URGENT and f"area_{red_flag.area}" not in content.words.messages:
            yield f"{where}.area: {content.language}/messages.toml has no area_{red_flag.area}; write it"
        if not list(_condition(content, where, red_flag.when)):
            yield from _satisfiable(content, f"{where}.when", red_flag.when)


def _urgent_order(content: Content) -> Complaints:
    listed = str(content.words.messages.get("urgent_order", "")).split()
    where = f"{content.language}/messages.toml: urgent_order"
    yield from unknown(where, "red flag", listed, content.red_flags)
    yield from _twice(where, listed)


def _standing(where: str, red_flag: RedFlag) -> Complaints:
    yield from lifetime_fits(where, red_flag.level, red_flag.lifetime)
    if red_flag.stays and red_flag.level < Level.URGENT:
        yield f"{where}.stays: only an emergency or urgent row stays; remove it"


def lifetime_fits(where: str, level: Level, lifetime: Lifetime | None) -> Complaints:
    """Complain of a lifetime that does not belong to its level."""
    fitting = LIFETIMES.get(level, ())
    if lifetime not in fitting:
        yield f"{where}.lifetime: {lifetime} does not fit the level {level.code}; write {_either(fitting)}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(words) or "another level"


def _condition(content: Content, where: str, node: Condition) -> Complaints:
    fields = node.model_dump(exclude_none=True)
    if len(fields) != 1:
        yield f"{where}: a condition has one of sign, flag, feeling, helped, pain_from, all, any, none"
        return
    known: dict[str, Collection[str]] = {
        "sign": content.signs,
        "flag": content.profile,
        "feeling": options_of(content, "feeling"),
        "helped": options_of(content, "helped"),
    }
    for kind, code in fields.items():
        yield from unknown(where, kind, [code] if kind in known else [], known.get(kind, ()))
    for at, part in enumerate(_parts(node)):
        yield from _condition(content, f"{where}.{next(iter(fields))}.{at}", part)
    if next(iter(fields)) in ("all", "any", "none") and not _parts(node):
        yield f"{where}: an empty list decides nothing; write what it is about"


def _parts(node: Condition) -> tuple[Condition, ...]:
    return node.all or node.any or node.none or ()


def options_of(content: Content, question: str) -> frozenset[str]:
    """Return the codes that a question accepts; none of a question that there is not."""
    found = content.questions.get(question)
    return frozenset(option.code for option in found.options) if found else frozenset()


def _satisfiable(content: Content, where: str, node: Condition) -> Complaints:
    ways = list(_ways(node, True))
    if not any(_possible(content, must, never) for must, never in ways):
        yield f"{where}: can never be true: what `none` forbids is what the rest needs; remove one of them"
    if any(not must for must, _ in ways):
        yield f"{where}: is true for everybody, even when nothing is reported; write what must be reported"


Way = tuple[frozenset[str], frozenset[str]]  # what must be reported, what must not


def _ways(node: Condition, wanted: bool) -> Iterator[Way]:
    """Yield the ways in which a condition is met (or, not wanted, is not met)."""
    together = node.all if wanted else (node.any or node.none)
    apart = node.any if wanted else node.all
    if node.none is not None and wanted:
        yield from _all_of(_ways(part, False) for part in node.none)
    elif node.none is not None:
        for part in node.none:
            yield from _ways(part, True)
    elif together is not None:
        yield from _all_of(_ways(part, wanted) for part in together)
    elif apart is not None:
        for part in apart:
            yield from _ways(part, wanted)
    else:
        leaf = frozenset({_leaf(node)})
        yield (leaf, frozenset()) if wanted else (frozenset(), leaf)


def _all_of(parts: Iterable[Iterator[Way]]) -> Iterator[Way]:
    for ways in product(*parts):
        yield frozenset().union(*(must for must, _ in ways)), frozenset().union(*(never for _, never in ways))


def _leaf(node: Condition) -> str:
    return next(f"{kind}:{code}" for kind, code in node.model_dump(exclude_none=True).items())


def _possible(content: Content, must: frozenset[str], never: frozenset[str]) -> bool:
    reported = {*must}
    for code in must:
        kind, _, sign = code.partition(":")
        reported |= {f"sign:{implied}" for implied in _implied(content, sign)} if kind == "sign" else set()
    return reported.isdisjoint(never)


def _implied(content: Content, sign: str) -> set[str]:
    found: set[str] = set()
    waiting = [sign]
    while waiting:
        shape = content.signs.get(waiting.pop())
        fresh = {*shape.implies} - found if shape else set()
        found |= fresh
        waiting += fresh
    return found


def _red_flag_words(content: Content) -> Complaints:
    for rule, words in content.red_flag_words.items():
        where = f"{content.language}/red_flags.toml: {rule}"
        red_flag = content.red_flags.get(rule)
        is_grave = red_flag is not None and red_flag.level >= Level.URGENT
        yield from _fixed_words(where, words, is_grave)
        if words.other is not None:
            yield from _fixed_words(f"{where}.other", words.other, is_grave)
        elif red_flag and red_flag.lifetime == "despair":
            yield f"{where}.other: is missing; despair of somebody else has words about them"


def _fixed_words(where: str, words: RedFlagWords | OtherWords, is_grave: bool) -> Complaints:
    if is_grave and not words.do_not:
        yield f"{where}.do_not: is missing; an emergency or urgent card says what not to do"
    for field in ("line", "question", "action", "why"):
        if not getattr(words, field).strip():
            yield f"{where}.{field}: is empty; write it"
    if re.search(r"\d{3}", words.action + words.why + words.do_not):
        yield f"{where}: looks like a phone number; leave it out, the program adds those of the country"


def _lifecycles(content: Content) -> Complaints:
    file = "rules/lifecycles.toml"
    for missing in sorted({*get_args(Lifetime)} - {*content.lifecycles}):
        yield f"{file}: {missing}: is missing; write how it is repeated, followed up and ended"
    for name, cycle in content.lifecycles.items():
        where = f"{file}: {name}"
        yield from unknown(where, "lifetime", [name], get_args(Lifetime))
        yield from unknown(f"{where}.ends_on", "ending", cycle.ends_on, ENDINGS)
        for field in ("repeat_minutes", "repeat_waking_minutes", "follow_up_days"):
            if any(later <= earlier for earlier, later in pairwise((0, *getattr(cycle, field)))):
                yield f"{where}.{field}: must rise from above 0; put them in order"
        if not cycle.ends_on:
            yield f"{where}.ends_on: is empty; write what settles it"


# --- self-care ------------------------------------------------------------------------------------------


def _gates(content: Content) -> Complaints:
    for technique, gate in content.gates.items():
        where = f"rules/gates.toml: {technique}"
        yield from unknown(f"{where}.flags", "flag", gate.flags, content.profile)
        yield from unknown(f"{where}.reported", "flag", gate.reported, content.profile)
        yield from unknown(f"{where}.signs", "sign", gate.signs, content.signs)
        yield from unknown(f"{where}.helped", "answer", gate.helped, options_of(content, "helped"))
        if gate.replace_with is None:
            if gate.flags or gate.always:
                yield f"{where}.replace_with: is missing; write the tip that stands in when it is withheld"
        elif gate.replace_with not in content.tips:
            yield f"{where}.replace_with: there is no tip {gate.replace_with!r}; write one that exists"
        else:
            yield from _stand_ins(content, where, technique, gate)


def _stand_ins(content: Content, where: str, technique: str, gate: Gate) -> Complaints:
    """What forbids a technique must not forbid its stand-in; for a sign, its stand-in's or nothing at all."""
    stand_in = gate.replace_with or ""
    used = [name for name in content.tips[stand_in].techniques if name in content.gates]
    if technique in used or any(content.gates[name].always for name in used):
        yield f"{where}.replace_with: {stand_in} is itself withheld then; write a tip without {_either(used)}"
    for flag in gate.flags:
        if any(flag in content.gates[name].flags for name in used):
            yield f"{where}.replace_with: {stand_in} is forbidden by the same flag {flag}; write another tip"
    for sign in (*gate.signs, *gate.helped):
        if not _settles(content, gate, sign):
            yield f"{where}.replace_with: {stand_in} leads round in a circle for {sign}; write another tip"


def _settles(content: Content, gate: Gate, sign: str) -> bool:
    """Follow the stand-ins as the evening does, to a tip that the sign allows or to nothing."""
    stand_in = gate.replace_with
    for _ in range(MOST_STAND_INS):
        if stand_in is None or stand_in not in content.tips:
            return True
        gates = [content.gates[name] for name in content.tips[stand_in].techniques if name in content.gates]
        closed = [one for one in gates if one.always or sign in one.signs or sign in one.helped]
        if not closed:
            return True
        stand_in = closed[0].replace_with
    return False


def _evening(content: Content) -> Complaints:
    """Each part of the evening has a piece that nothing can withhold, but for the parts that may be empty."""
    for name, piece in content.pieces.items():
        where = f"rules/pieces.toml: {name}"
        yield from unknown(f"{where}.tip", "tip", [piece.tip], content.tips)
        yield from unknown(f"{where}.techniques", "technique", piece.techniques, content.gates)
    stand_ins = {gate.replace_with for gate in content.gates.values()}
    for part in get_args(Part):
        known = (piece for piece in content.pieces.values() if piece.tip in content.tips)
        mine = [piece for piece in known if piece.part == part]
        free = [piece for piece in mine if piece.tip not in stand_ins and not _can_close(content, piece)]
        if not mine or (not free and part not in MAY_BE_EMPTY):
            yield f"rules/pieces.toml: {part}: no piece is free of every gate; write one without techniques"
    for name, step in content.routine.items():
        where = f"rules/routine.toml: {name}.techniques"
        yield from unknown(where, "technique", step.techniques, content.gates)


def _can_close(content: Content, piece: Piece) -> bool:
    withheld = {name for red_flag in content.red_flags.values() for name in red_flag.withholds}
    for technique in piece.techniques + content.tips[piece.tip].techniques:
        gate = content.gates.get(technique, Gate())
        if gate.always or gate.flags or gate.signs or gate.helped or technique in withheld:
            return True
    return False


def _tips_and_causes(content: Content) -> Complaints:
    numbers: dict[int, str] = {}
    for name, tip in content.tips.items():
        where = f"rules/tips.toml: {name}"
        yield from vouched(content, where, tip.sources, tip.review)
        yield from unknown(f"{where}.techniques", "technique", tip.techniques, content.gates)
        if tip.number in numbers:
            yield f"{where}.number: {tip.number} is {numbers[tip.number]}'s already; write a free one"
        numbers.setdefault(tip.number, name)
    for name, cause in content.causes.items():
        yield from vouched(content, f"rules/causes.toml: {name}", cause.sources, cause.review)


# --- the check-in ---------------------------------------------------------------------------------------


def _checkin(content: Content) -> Complaints:
    file = "rules/checkin.toml"
    codes = [question.code for question in content.checkin.questions]
    for needed in ("pain", "signs", "feeling", "helped"):
        if needed not in codes:
            yield f"{file}: {needed}: is missing; the rules need this question"
    yield from _twice(f"{file}: questions", codes)
    for question in content.checkin.questions:
        where = f"{file}: {question.code}"
        yield from _twice(where, [option.code for option in question.options])
        if question.only_if_feeling:
            known = options_of(content, "feeling")
            yield from unknown(f"{where}.only_if_feeling", "answer", [question.only_if_feeling], known)
        if question.only_if_answered and question.only_if_answered not in codes:
            yield f"{where}.only_if_answered: there is no question {question.only_if_answered!r}"
        for option in question.options:
            yield from _option(content, f"{where}.{option.code}", question, option)
    pain = [option.code for option in content.questions["pain"].options] if "pain" in codes else []
    if pain and pain != [f"p{score}" for score in range(11)]:
        yield f"{file}: pain: must have the options p0 to p10 in order"
    if "signs" in codes and content.questions["signs"].only_if_trouble:
        yield f"{file}: signs.only_if_trouble: the warning signs are asked every morning; write false"


def _twice(where: str, codes: list[str]) -> Complaints:
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield f"{where}: {code} is there twice; remove one"


def _option(content: Content, where: str, question: Question, option: Option) -> Complaints:
    yield from unknown(f"{where}.signs", "sign", option.signs, content.signs)
    yield from unknown(f"{where}.maybe", "sign", option.maybe, content.signs)
    yield from unknown(f"{where}.rows", "red flag", option.rows, content.red_flags)
    levels = [content.red_flags[row].level for row in option.rows if row in content.red_flags]
    if levels != sorted(levels, reverse=True):
        yield f"{where}.rows: the gravest comes first; put them in order"
    if option.alone and not question.many:
        yield f"{where}.alone: means nothing where one answer is chosen; remove it"
    press = f"ci:YYMMDD:{question.code}:+{option.code}"
    if len(press.encode()) > LONGEST_PRESS:
        yield f"{where}: is {len(press.encode())} bytes in a button, {LONGEST_PRESS} fit; write shorter codes"


def _checkin_words(content: Content) -> Complaints:
    for code, words in content.question_words.items():
        where = f"{content.language}/checkin.toml: {code}.options"
        known = options_of(content, code)
        for option in sorted(known - {*words.options}):
            yield f"{where}: {option}: has no words; write them"
        for option in sorted({*words.options} - known):
            yield f"{where}: {option}: is no answer of this question; remove it or add the answer"


# --- numbers, labels, texts -----------------------------------------------------------------------------


def _numbers(content: Content) -> Complaints:
    file = "numbers.toml"
    for field in ("fallback", "fallback_further"):
        if not re.search(r"\d", getattr(content.numbers, field)):
            yield f"{file}: {field}: has no digits; write the number to call when no country is known"
    for country, numbers in content.numbers.countries.items():
        if not re.fullmatch(r"[A-Z]{2}", country):
            yield f"{file}: countries.{country}: is no country code; write two capitals, as ISO 3166 has them"
        for kind in ("emergency", "health", "crisis"):
            for at, line in enumerate(getattr(numbers, kind)):
                if not re.search(r"\d", line.number):
                    yield f"{file}: countries.{country}.{kind}.{at}: has no digits; write the number"


def _labels(content: Content) -> Complaints:
    labels = {f"profile.toml: {name}.label": words.label for name, words in content.profile_words.items()}
    labels |= {f"red_flags.toml: {name}.label": words.label for name, words in content.red_flag_words.items()}
    labels |= {f"patterns.toml: {name}.label": words.label for name, words in content.pattern_words.items()}
    labels |= {
        f"checkin.toml: {code}.options.{option}": label
        for code, words in content.question_words.items()
        for option, label in words.options.items()
    }
    labels |= {
        f"messages.toml: {key}": text
        for key, text in content.words.messages.items()
        if key.startswith("button_") and isinstance(text, str)
    }
    for where, label in labels.items():
        if not label.strip() or len(label) > LONGEST_LABEL:
            shown = f"{len(label)} characters" if label.strip() else "empty"
            yield f"{content.language}/{where}: is {shown}; a button takes 1 to {LONGEST_LABEL}"


def _texts(content: Content) -> Complaints:
    """Everything said to a patient is markup that Telegram takes, and short enough to be sent."""
    for where, text, longest in _said(content):
        name = f"{content.language}/{where}"
        fault = markup_fault(text)
        if fault:
            yield f"{name}: {fault}"
        if len(text) > longest:
            yield f"{name}: is {len(text)} characters, {longest} can be sent; write less"


def _said(content: Content) -> Iterator[tuple[str, str, int]]:
    tables: dict[str, Mapping[str, object]] = {
        "red_flags.toml": content.red_flag_words,
        "patterns.toml": content.pattern_words,
        "tips.toml": content.tip_words,
        "causes.toml": content.cause_words,
        "profile.toml": content.profile_words,
        "checkin.toml": content.question_words,
    }
    for file, table in tables.items():
        for key, words in table.items():
            for field, text in vars(words).items():
                if isinstance(text, str):
                    yield f"{file}: {key}.{field}", text, LONGEST_MESSAGE
    for key, of_row in content.red_flag_words.items():
        for field, text in vars(of_row.other).items() if of_row.other else ():
            yield f"red_flags.toml: {key}.other.{field}", text, LONGEST_MESSAGE
    for file, texts in (("pieces.toml", content.piece_words), ("routine.toml", content.routine_words)):
        for key, text in texts.items():
            yield f"{file}: {key}", text, LONGEST_CAPTION  # said beneath a picture
    for key, text in content.sign_words.items():
        yield f"signs.toml: {key}", text, LONGEST_MESSAGE


def markup_fault(text: str) -> str:
    """Return what is wrong with the markup of a text: only bold, italic, underline and code, all closed."""
    open_tags: list[str] = []
    for closing, name in re.findall(r"<(/?)([^<>]*)>", text):
        if name not in TAGS:
            return f"<{closing}{name}> cannot be sent; write only {', '.join(f'<{tag}>' for tag in TAGS)}"
        if not closing:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return f"</{name}> closes nothing that is open; put the tags in order"
    if open_tags:
        return f"<{open_tags[-1]}> is not closed; write </{open_tags[-1]}>"
    rest = re.sub(r"<[^<>]*>", "", text)
    return "a lone < or > cannot be sent; write &lt; or &gt;" if "<" in rest or ">" in rest else ""


def _messages(content: Content) -> Complaints:
    for key, entry in content.words.messages.items():
        where = f"{content.language}/messages.toml: {key}"
        forms = entry if isinstance(entry, Mapping) else {"": entry}
        if isinstance(entry, Mapping) and "other" not in entry:
            yield f"{where}: a table of plurals needs `other`; write it"
        for form, text in forms.items():
            place = f"{where}.{form}" if form else where
            fault = _message_fault(key, text)
            if fault:
                yield f"{place}: {fault}"


def _in_danger(content: Content) -> Complaints:
    """What is said in danger is there, with each number in its place."""
    for key, gaps in SAID_IN_DANGER.items():
        where = f"{content.language}/messages.toml: {key}"
        if key not in content.words.messages:
            yield f"{where}: is missing, and is said to people in danger; write it"
            continue
        entry = content.words.messages[key]
        for text in entry.values() if isinstance(entry, Mapping) else (entry,):
            if _message_fault(key, text):
                continue  # told already
            found = {name for _, name, _, _ in Formatter().parse(text) if name}
            for name in sorted(found - set(gaps.split())):
                yield f"{where}: nothing fills {{{name}}} here; {_filled(gaps)}"
            for name in sorted(set(gaps.split()) - found):
                yield f"{where}: {{{name}}} is missing; write it where it shall stand"


def _filled(gaps: str) -> str:
    return f"write {' and '.join(f'{{{name}}}' for name in gaps.split())}" if gaps else "leave it out"


def _message_fault(key: str, text: object) -> str:
    if not isinstance(text, str):
        return "must be a text, or a table of plural forms"
    try:
        gaps = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        return f"its gaps cannot be read ({error}); write {{name}}, and {{{{ for a brace"
    if not all(name.isidentifier() for name in gaps):
        return "a gap has no name; write {name}"
    if len(text) > LONGEST_MESSAGE or (key.startswith("caption") and len(text) > LONGEST_CAPTION):
        return f"is {len(text)} characters, too many to be sent; write less"
    return markup_fault(text)


def _phrases(content: Content) -> Complaints:
    phrases = content.phrases
    file = f"{content.language}/phrases.toml"
    yield from unknown(f"{file}: signs", "sign", phrases.signs, content.signs)
    yield from unknown(f"{file}: flags", "flag", phrases.flags, content.profile)
    for question, answers in phrases.answers.items():
        if question == NO_TROUBLE:
            continue
        yield from unknown(f"{file}: answers", "question", [question], content.questions)
        if question in content.questions:
            yield from unknown(
                f"{file}: answers.{question}", "answer", answers, options_of(content, question)
            )


def _examples(content: Content) -> Complaints:
    """An example belongs to a row there is, and to one side: grave, or calm."""
    file = f"{content.language}/examples.toml"
    yield from unknown(f"{file}: rows", "row", content.examples.rows, content.red_flags)
    of_level: dict[str, Level] = {}
    for row, said in content.examples.by_row():
        level = content.red_flags[row].level if row in content.red_flags else Level.NONE
        for text in said:
            known = of_level.setdefault(text.casefold(), level)
            if (known >= Level.URGENT) is not (level >= Level.URGENT):
                yield f"{file}: {text!r} stands among grave messages and calm ones: keep one of them"
