"""The words of red flags: the fixed card, the exact question, what came of it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from bot.flows import numbers
from bot.messages import Button, Message, Rows, Style
from bot.model import Asking, Escalation, Outcome, Patient
from content.loader import Content
from content.pattern_shapes import PatternWords
from content.schema import Level, Lifecycle, Lifetime, RedFlagWords
from content.words import Html

MISTAP = "mistap"
GONE, STILL = "gone", "still"  # what the buttons carry that answer whether it has gone
ASK = "ask"  # what a button carries that asks what came of a matter
TAKEN_BACK = "taken_back"  # what a button carries by which words were not meant as they were taken
UNANSWERED = "asked:late"  # an evidence code: the exact question had no answer, and counts as yes
NIGHT = "night:"  # begins an evidence code that names a night
# Under a card that can wait: what settles it, in this order, as far as its lifecycle says so.
WAITING = (
    ("button_booked", Outcome.BOOKED),
    ("button_seen", Outcome.SEEN),
    ("button_known", Outcome.KNOWN),
)


def cycle_of(content: Content, rule: str) -> Lifecycle:
    """Return how a red flag or a pattern is repeated, followed up and ended."""
    return content.lifecycles[lifetime_of(content, rule)]


def lifetime_of(content: Content, rule: str) -> Lifetime:
    """Return the class of a rule's lifecycle; what only asks or says has that of the lowest level."""
    return content.rules[rule].lifetime or "routine"


def is_despair(content: Content, rule: str) -> bool:
    """Return whether a red flag is answered with a crisis line first."""
    return lifetime_of(content, rule) == "despair"


# --- the card ------------------------------------------------------------------------------------------


def words_of(content: Content, rule: str, about_other: bool) -> RedFlagWords | PatternWords:
    """Return the fixed words of a rule, about the reader or about somebody else."""
    if about_other and rule in content.red_flag_words:
        return content.red_flag_words[rule].about_other
    return content.rule_words[rule]


def key_for(content: Content, key: str, about_other: bool) -> str:
    """Return the key of a sentence, or of the one about somebody else where the reader speaks for them."""
    other = f"{key}_other"
    return other if about_other and other in content.words.messages else key


def card_text(
    content: Content,
    patient: Patient | None,
    rule: str,
    level: Level,
    today: date,
    about_other: bool = False,
    leg: str = "",
) -> Html:
    """Return the fixed card: action, reason with the leg ("left") that was named, number, what not to do."""
    words = words_of(content, rule, about_other)
    lifetime = lifetime_of(content, rule)
    seen = f"{words.line} {words.why}" if rule in content.patterns else words.why
    if f"side_{leg}" in content.words.messages:
        seen = f"{content.words.say('card_side', side=content.words.plain(f'side_{leg}'))} {seen}"
    if about_other and words is content.rule_words[rule]:  # such as speak of somebody else need no word of it
        seen = f"{content.words.say('card_other')} {seen}"
    parts = [
        Html(f"<b>{words.action}</b>"),
        Html(seen),
        who_to_call(content, patient, lifetime, level, today, about_other),
    ]
    if words.do_not:
        parts.append(Html(words.do_not))
    if content.rules[rule].crisis_line:
        parts.append(content.words.say("card_crisis", crisis=numbers.crisis_block(content, patient, today)))
    if level >= Level.URGENT:
        parts.append(content.words.say("card_foot"))
    return Html("\n\n".join(parts))


def who_to_call(
    content: Content,
    patient: Patient | None,
    lifetime: str,
    level: Level,
    today: date,
    about_other: bool = False,
) -> Html:
    """Return the numbers that belong under a card of a level."""
    emergency = numbers.emergency_block(content, patient, today)
    if lifetime == "despair":
        crisis = numbers.crisis_block(content, patient, today)
        key = "card_numbers_despair_other" if about_other else "card_numbers_despair"
        return content.words.say(key, crisis=crisis, emergency=emergency)
    if level is Level.EMERGENCY:
        return content.words.say("card_numbers_emergency", emergency=emergency)
    health = numbers.health_block(content, patient, today)
    if level is Level.URGENT:
        return content.words.say("card_numbers_urgent", health=health, emergency=emergency)
    return content.words.say("card_numbers_later", health=health)


def card(
    content: Content,
    patient: Patient,
    row: Escalation,
    lead: Html,
    foot: Html,
    today: date,
    leg: str = "",
) -> Message:
    """Return a card as a message that sounds when it is grave, with a line before it or after it."""
    text = card_text(content, patient, row.rule, row.level, today, row.about_other, leg)
    whole = Html("\n\n".join(part for part in (lead, text, foot) if part))
    rows = _grave_rows if row.level >= Level.URGENT else _waiting_rows
    return Message(whole, rows(content, patient, row, bool(lead), today), silent=row.level < Level.URGENT)


def named_together(
    content: Content, patient: Patient, message: Message, others: Sequence[Escalation], today: date
) -> Message:
    """Return a message that also names other matters, each with its action and a button to ask about it."""
    if not others:
        return message
    words = content.words
    lines = [
        words.say(
            "card_also_line",
            label=matter_label(content, row),
            action=Html(words_of(content, row.rule, row.about_other).action),
        )
        for row in others
    ]
    parts = [message.text, words.say("card_also", lines=Html("\n".join(lines)))]
    if any(is_despair(content, row.rule) for row in others):
        crisis = numbers.crisis_block(content, patient, today)
        parts.append(words.say("card_crisis", crisis=crisis))
    rows = tuple((Button(matter_label(content, row), f"es:{row.id}:{ASK}"),) for row in others)
    return replace(message, text=Html("\n\n".join(parts)), rows=(*message.rows, *rows))


def matter_label(content: Content, row: Escalation) -> str:
    """Return the short name of a matter, with its leg where it has one."""
    return _with_side(content, row, content.rule_words[row.rule].label)


def _with_side(content: Content, row: Escalation, line: str) -> str:
    if f"side_{row.side}" not in content.words.messages:
        return line
    return content.words.plain("with_side", line=line, side=content.words.plain(f"side_{row.side}"))


def _grave_rows(content: Content, patient: Patient, row: Escalation, repeated: bool, today: date) -> Rows:
    going = ("button_going", Outcome.GOING)
    if is_despair(content, row.rule):
        key = "button_safe_now_other" if row.about_other else "button_safe"
        going = (key, Outcome.WITH_SOMEONE)
    rows = [
        (numbers.call_button(content, patient, today),),
        _outcome(content, row, "button_read", Outcome.READ),
        _outcome(content, row, *going, Style.GOOD),
    ]
    if repeated and row.level is Level.EMERGENCY and not is_despair(content, row.rule):
        with_help = key_for(content, "button_with_help", row.about_other)
        rows.append(_outcome(content, row, with_help, Outcome.SEEN))
    return (*rows, _wrong_row(content, row), why_row(content, row))


def _waiting_rows(content: Content, patient: Patient, row: Escalation, repeated: bool, today: date) -> Rows:
    ends = cycle_of(content, row.rule).ends_on
    settling = [_outcome(content, row, key, what) for key, what in WAITING if what in ends]
    read = _outcome(content, row, "button_read", Outcome.READ)
    if row.rule in content.patterns:
        settling.append(_outcome(content, row, "button_cannot", Outcome.CANNOT))
    return (read, *settling, _wrong_row(content, row), why_row(content, row))


def _wrong_row(content: Content, row: Escalation) -> tuple[Button, ...]:
    """What is not right: a mis-tap of one answer; of many nights, the list on which to correct them."""
    if row.rule in content.patterns:
        return (Button(content.words.plain("button_not_right"), "nt:list"),)
    return _outcome(content, row, "button_mistap", Outcome.MISTAP)


def _outcome(
    content: Content, row: Escalation, key: str, what: Outcome, style: Style = Style.PLAIN
) -> tuple[Button, ...]:
    return (Button(content.words.plain(key), f"es:{row.id}:{what}", style),)


def why_row(content: Content, row: Escalation) -> tuple[Button, ...]:
    """Return the button that shows which answers and which rule led to a card."""
    return (Button(content.words.plain("button_why"), f"es:{row.id}:why"),)


# --- what came of it -----------------------------------------------------------------------------------


def follow_up(content: Content, patient: Patient, row: Escalation, now: datetime) -> Message:
    """Return the message that asks what came of an escalation, with the card's action and number."""
    words = content.words
    rule_words = words_of(content, row.rule, row.about_other)
    despair = is_despair(content, row.rule)
    key = "follow_up_pattern" if row.rule in content.patterns else "follow_up"
    if row.about_other:
        key = "follow_up_other"
    text = words.say(
        _as_known(content, row, "follow_up_despair" if despair and not row.about_other else key),
        day=words.day(patient.day_of(row.raised_at)),
        line=Html(_with_side(content, row, rule_words.line)),
        action=Html(rule_words.action),
    )
    lifetime = lifetime_of(content, row.rule)
    call = who_to_call(content, patient, lifetime, row.level, now.date(), row.about_other)
    return Message(
        Html(f"{text}\n\n{call}"),
        _follow_up_rows(content, patient, row, now.date()),
        silent=row.level < Level.URGENT,
    )


def _as_known(content: Content, row: Escalation, key: str) -> str:
    """Return the key of words that do not say "you told me" of what nobody answered, where it has any."""
    late = f"{key}_late"
    return late if UNANSWERED in row.evidence and late in content.words.messages else key


def choices_of(content: Content, row: Escalation) -> list[tuple[str, Outcome]]:
    """Return what may have come of a matter, each with the key of its button."""
    choices: list[tuple[str, Outcome]]
    if is_despair(content, row.rule):
        key = "button_safe_other" if row.about_other else "button_safe_talked"
        choices = [(key, Outcome.SAFE)]
    elif row.level >= Level.URGENT:
        seen = "button_with_help" if row.level is Level.EMERGENCY else "button_seen"
        seen = key_for(content, seen, row.about_other)
        choices = [(seen, Outcome.SEEN), ("button_going", Outcome.GOING)]
    else:
        ends = cycle_of(content, row.rule).ends_on
        choices = [(key, what) for key, what in WAITING if what in ends]
    return [*choices, ("button_not_yet", Outcome.NOT_YET), ("button_cannot", Outcome.CANNOT)]


def _follow_up_rows(content: Content, patient: Patient, row: Escalation, today: date) -> Rows:
    rows = tuple(_outcome(content, row, key, what) for key, what in choices_of(content, row))
    call = ((numbers.call_button(content, patient, today),),) if row.level >= Level.URGENT else ()
    return (*call, *rows, _wrong_row(content, row))


def still_open(content: Content, patient: Patient, row: Escalation, now: datetime) -> Message:
    """Return one short line about a matter that stands, for the evenings after it was asked about."""
    key = "still_open_despair" if is_despair(content, row.rule) else "still_open"
    text = content.words.say(
        _as_known(content, row, key),
        label=matter_label(content, row),
        day=content.words.day(patient.day_of(row.raised_at)),
        action=Html(content.rule_words[row.rule].action),
    )
    call = who_to_call(content, patient, lifetime_of(content, row.rule), row.level, now.date())
    ask = Button(content.words.plain("button_came_of_it"), f"es:{row.id}:{ASK}")
    return Message(Html(f"{text}\n\n{call}"), ((numbers.call_button(content, patient, now.date()),), (ask,)))


def is_it_gone(content: Content, patient: Patient, row: Escalation) -> Message:
    """Return the question whether what was urgent has gone; only its yes lowers it."""
    text = content.words.say(
        _as_known(content, row, "ask_gone"),
        day=content.words.day(patient.day_of(row.raised_at)),
        line=Html(_with_side(content, row, content.rule_words[row.rule].line)),
    )
    choices = (("button_still", STILL), ("button_gone", GONE), ("button_seen", Outcome.SEEN))
    return Message(
        text,
        tuple((Button(content.words.plain(key), f"es:{row.id}:{what}"),) for key, what in choices),
    )


def told_before(
    content: Content, patient: Patient | None, rule: str, today: date, about_other: bool = False
) -> Message:
    """Return the short answer to a fresh report of what stands already: action and number, never silence."""
    level = content.rules[rule].level
    call = numbers.emergency_block(content, patient, today)
    if is_despair(content, rule):
        call = who_to_call(content, patient, "despair", level, today, about_other)
    key = "told_before_despair" if is_despair(content, rule) else "told_before"
    if about_other:
        key = "told_before_other"
    action = Html(words_of(content, rule, about_other).action)
    text = content.words.say(key, action=action, emergency=call)
    return Message(text, ((numbers.call_button(content, patient, today),),), sounds=True)


# --- why -----------------------------------------------------------------------------------------------


def why_text(content: Content, row: Escalation) -> Html:
    """Return which answers, which rule and which sources led to a card, and who has reviewed it."""
    words = content.words
    rule = content.rules[row.rule]
    sources = Html(
        "\n".join(words.say("source_line", title=content.sources[key].title) for key in rule.sources)
    )
    review = (
        words.say("reviewed_by", name=rule.review.reviewer, date=words.date(rule.review.reviewed_on))
        if rule.review.reviewed_on
        else words.say("not_reviewed")
    )
    found = evidence_words(content, row.evidence, row.about_other)
    because = _with_side(content, row, words.list(found) or "-")
    return words.say(
        "why",
        because=because,
        rule=row.rule,
        level=words.say(f"level_{row.level.code}"),
        sources=sources,
        review=review,
    )


def evidence_words(content: Content, evidence: Sequence[str], about_other: bool = False) -> list[str]:
    """Return what something rests on in plain words, many nights as their number and span."""
    late = UNANSWERED in evidence
    codes = [code for code in evidence if not code.startswith(NIGHT) and code != UNANSWERED]
    nights = sorted(date.fromisoformat(code[len(NIGHT) :]) for code in evidence if code.startswith(NIGHT))
    found = [_evidence_words(content, code, late, about_other) for code in codes]
    if len(nights) == 1:
        found.append(content.words.plain("evidence_night", day=content.words.day(nights[0])))
    elif nights:
        first, last = content.words.day(nights[0]), content.words.day(nights[-1])
        found.append(content.words.plain("evidence_nights", n=len(nights), first=first, last=last))
    return list(dict.fromkeys(found))


def _evidence_words(content: Content, code: str, late: bool, about_other: bool) -> str:
    kind, _, name = code.partition(":")
    whole = code.replace(":", "_")
    for whose in ("evidence_other", "evidence") if about_other else ("evidence",):
        if f"{whose}_{whole}" in content.words.messages:  # of few values, each with words of its own
            return content.words.plain(f"{whose}_{whole}")
    if kind == "sign":
        return content.sign_words.get(name, name)
    if kind in ("flag", "medicine"):
        return content.profile_words[name].label if name in content.profile_words else name
    if kind == "pain":
        return content.words.plain("evidence_pain", pain=name)
    if kind in ("asked", "like") and name in content.red_flag_words:
        key = "evidence_asked_late" if kind == "asked" and late else f"evidence_{kind}"
        return content.words.plain(key, label=content.red_flag_words[name].label)
    if kind == "pattern" and name in content.pattern_words:
        return content.words.plain("evidence_pattern", line=content.pattern_words[name].line)
    if f"evidence_{kind}" in content.words.messages:
        return content.words.plain(f"evidence_{kind}", value=name)
    options = content.question_words[kind].options if kind in content.question_words else {}
    return options.get(name, name)


# --- the exact question --------------------------------------------------------------------------------


def question_message(content: Content, patient: Patient | None, asking: Asking, today: date) -> Message:
    """Return the exact question: one line and the number first, in despair that of a person to talk to."""
    words = content.words
    despair = any(is_despair(content, rule) for rule in asking.rules)
    lead = _question_lead(content, patient, asking, despair, today)
    if len(asking.rules) == 1:
        body = Html(f"<b>{_question(content, asking.rules[0], asking.about_other)}</b>")
    else:
        lines = "\n".join(f"• {words_of(content, rule, asking.about_other).line}" for rule in asking.rules)
        which = words.say("question_which_despair" if despair else "question_which")
        body = Html(f"<b>{which}</b>\n{lines}")
    rows = _question_rows(content, asking) if asking.id else _stateless_rows(content, asking.rules)
    return Message(Html(f"{lead}\n\n{body}"), rows)


def _question_lead(
    content: Content, patient: Patient | None, asking: Asking, despair: bool, today: date
) -> Html:
    words = content.words
    if asking.because.startswith(f"{MISTAP}:"):
        return words.say("question_lead_mistap")
    emergency = numbers.emergency_block(content, patient, today)
    if despair:
        crisis = numbers.crisis_block(content, patient, today)
        key = "question_lead_despair_other" if asking.about_other else "question_lead_despair"
        return words.say(key, crisis=crisis, emergency=emergency)
    level = content.red_flags[asking.rules[0]].level
    key = "question_lead_emergency" if level is Level.EMERGENCY else "question_lead_urgent"
    return words.say(key, emergency=emergency)


def _question(content: Content, rule: str, about_other: bool) -> str:
    words = content.red_flag_words[rule]
    return words.about_other.question if about_other else words.question


def _question_rows(content: Content, asking: Asking) -> Rows:
    words = content.words

    def button(text: str, answer: str, style: Style = Style.PLAIN) -> tuple[Button, ...]:
        return (Button(text, f"ak:{asking.id}:{answer}", style),)

    if len(asking.rules) == 1:
        yes = button(words.plain("button_yes"), asking.rules[0], Style.GRAVE)
        return (yes, button(words.plain("button_no"), "no"), button(words.plain("button_unsure"), "unsure"))
    named = tuple(button(content.red_flag_words[rule].label, rule) for rule in asking.rules)
    return (
        *named,
        button(words.plain("button_none_of_these"), "no"),
        button(words.plain("button_unsure"), "unsure"),
    )


def _stateless_rows(content: Content, rules: tuple[str, ...]) -> Rows:
    """For somebody of whom nothing is kept: each row leads straight to its card."""
    return tuple(
        (
            Button(
                content.red_flag_words[rule].label, f"ur:{content.red_flags[rule].area}:{rule}", Style.GRAVE
            ),
        )
        for rule in rules
    )
