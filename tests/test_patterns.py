"""The rules over many nights: each kind of condition alone, every row, and what always holds."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import CheckIn, Evening, Facts
from bot.rules.memory import Happened, Memory, advance
from bot.rules.patterns import Medicine, Person, judge_diary, proof_of, spoken
from bot.rules.triage import judge
from bot.rules.windows import Diary, Night, cramps_a_night, middle_score, night_of
from content import loader
from content.loader import ContentError, load
from content.pattern_shapes import When
from content.schema import Level
from tests.replays import OURS, content, replayed

START = date(2026, 3, 1)


def at(day: int) -> date:
    return START + timedelta(days=day)


def nights(*scores: int | None, **more: Any) -> list[Night]:
    """A night for each score, from day 1 on; None: nothing was logged."""
    return [Night(on=at(day), pain=score, **more) for day, score in enumerate(scores, 1) if score is not None]


def met(when: dict[str, Any], diary: list[Night], on: int, person: Person | None = None) -> bool:
    shape = When.model_validate(when)
    return proof_of(content(), shape, diary, at(on), person or Person()) is not None


# --- windows -----------------------------------------------------------------------------------------------


def test_a_window_ends_on_the_judged_night_and_adjoins_the_one_before() -> None:
    diary = Diary.until(nights(*range(1, 11), *range(1, 5)), at(14))
    assert [night.on for night in diary.window(7)] == [at(day) for day in range(8, 15)]
    assert [night.on for night in diary.window(7, 7)] == [at(day) for day in range(1, 8)]


def test_later_nights_are_not_seen_and_the_last_entry_of_a_night_counts() -> None:
    diary = Diary.until([*nights(1, 2, 3), Night(on=at(2), pain=9)], at(2))
    assert [night.pain for night in diary.nights] == [1, 9]
    assert diary.used_nights == 2


def test_a_median_needs_enough_scores() -> None:
    assert middle_score(nights(1, 2, 9, 9), need=5) is None
    assert middle_score(nights(1, 2, 3, 9), need=4) == 2.5
    assert middle_score([], need=0) is None


def test_the_start_is_the_first_scored_nights_before_the_window() -> None:
    diary = Diary.until(nights(5, None, 5, 5, 5, 1, 1, 1, 1), at(9))
    assert [night.on for night in diary.start(5, at(6))] == [at(1), at(3), at(4), at(5)]


def test_cramps_are_counted_and_felt() -> None:
    assert cramps_a_night([Night(on=at(1), cramps=3), Night(on=at(2), feeling=frozenset({"cramp"}))]) == 2
    assert cramps_a_night([]) == 0


# --- each kind of condition --------------------------------------------------------------------------------

SEVERE = {"nights": {"at_least": 3, "of": 7, "that": {"pain_from": 7}}}


def test_nights_counts_what_was_logged() -> None:
    assert met(SEVERE, nights(7, None, None, 8, None, None, 9), 7)
    assert not met(SEVERE, nights(7, None, None, 8, None, None, 6), 7)
    assert not met(SEVERE, nights(7, 0, 0, 8, 0, 0, 0, 9), 8)


def test_nights_running_need_every_window() -> None:
    when = {"nights": {"at_least": 1, "of": 2, "weeks_running": 2, "that": {"pain_from": 5}}}
    assert met(when, nights(5, 0, 5, 0), 4)
    assert not met(when, nights(0, 0, 5, 5), 4)


def test_nights_new_within_looks_at_the_first_ever() -> None:
    when = {"nights": {"at_least": 1, "of": 7, "new_within": 5, "that": {"pain_from": 5}}}
    assert met(when, nights(0, 0, 5, 5, 5, 0, 0), 7)
    assert not met(when, nights(0, 5, 5, 5, 5, 0, 0), 7)


def test_a_share_is_of_logged_nights_and_needs_enough_of_them() -> None:
    when = {"share_of_nights": {"share": 0.7, "of": 10, "need": 5, "that": {"pain_from": 5}}}
    assert met(when, nights(5, 5, 5, 5, 5, 5, 5, 0, 0, 0), 10)
    assert not met(when, nights(5, 5, 5, 5, 5, 5, 0, 0, 0, 0), 10)
    assert not met(when, nights(5, 5, 5, 5), 10)


def test_a_change_is_by_points_share_and_nights_beyond() -> None:
    up = {"change": {"way": "up", "of": 5, "need": 3, "points": 2, "nights_beyond": 3}}
    assert met(up, nights(3, 3, 3, 3, 3, 5, 5, 5, 3, 5), 10)
    assert not met(up, nights(3, 3, 3, 3, 3, 4, 4, 4, 4, 4), 10)
    assert not met(up, nights(3, 3, 3, None, None, 5, 5, None, None, None), 10)
    share = {"change": {"way": "up", "of": 3, "need": 3, "points": 1, "share": 0.5}}
    assert met(share, nights(2, 2, 2, 3, 3, 3), 6)
    assert not met(share, nights(3, 3, 3, 4, 4, 4), 6)


def test_a_change_from_the_start_holds_in_each_window() -> None:
    down = {"change": {"way": "down", "than": "start", "of": 3, "need": 3, "points": 2, "weeks_running": 2}}
    assert met(down, nights(6, 6, 6, 4, 4, 4, 3, 4, 4), 9)
    assert not met(down, nights(6, 6, 6, 5, 5, 5, 3, 4, 4), 9)


def test_a_count_change_is_sustained() -> None:
    when = {"count_change": {"up": 2, "of": 3, "need": 3, "weeks_running": 2, "that": {"symptoms": True}}}
    assert met(when, nights(0, 0, 0, 1, 1, 0, 1, 1, 0), 9)
    assert not met(when, nights(0, 0, 0, 1, 1, 0, 1, 0, 0), 9)
    assert not met(when, nights(0, 0, None, 1, 1, 0, 1, 1, 0), 9)


def test_no_better_looks_at_pain_and_cramps() -> None:
    when = {"no_better": {"under_points": 1, "under_share": 0.15, "of": 3, "need": 3}}
    assert met(when, nights(4, 4, 4, 4, 4, 4), 6)
    assert not met(when, nights(4, 4, 4, 3, 3, 3), 6)
    assert not met(when, nights(4, 4, 4, 4, None, 4), 6)
    both = {"no_better": {**when["no_better"], "cramps_under_share": 0.25}}
    before, after = nights(4, 4, 4, cramps=4), nights(4, 4, 4)
    fewer = [replace(night, on=night.on + timedelta(days=3), cramps=3) for night in after]
    same = [replace(night, cramps=4) for night in fewer]
    assert met(both, before + same, 6)
    assert not met(both, before + fewer, 6)


def test_lasting_is_reported_again() -> None:
    when = {"lasting": {"nights": 14, "within": 60, "fresh": 7, "that": {"signs": ["leg_sore"]}}}
    sore = {"leg_sore": "yes"}
    assert met(when, [Night(on=at(1), signs=sore), Night(on=at(15), signs=sore)], 20)
    assert not met(when, [Night(on=at(1), signs=sore), Night(on=at(14), signs=sore)], 14)
    assert not met(when, [Night(on=at(1), signs=sore), Night(on=at(15), signs=sore)], 22)


def test_a_medicine_counts_when_the_trouble_followed_it() -> None:
    when = {"medicine_within": {"days": 56, "fresh": 7, "that": {"feeling": ["cramp"]}}}
    cramp = [Night(on=at(60), feeling=frozenset({"cramp"}))]
    assert met(when, cramp, 60, Person(medicines=(Medicine("a", at(4)),)))
    assert not met(when, cramp, 60, Person(medicines=(Medicine("a", at(3)),)))
    assert not met(when, cramp, 60, Person(medicines=(Medicine("a"),)))
    assert not met(when, cramp, 70, Person(medicines=(Medicine("a", at(4)),)))


def test_a_side_changes() -> None:
    when = {"side_change": {"now": "one", "before": "both", "of": 14, "at_least": 2, "for_nights": 3}}
    both = nights(3, 3, 3, side="both")
    assert met(when, [*both, Night(on=at(4), pain=3, side="left")], 4)
    assert not met(when, [*both[1:], Night(on=at(4), pain=3, side="left")], 4)
    assert not met(when, [*both, Night(on=at(4), pain=0, side="left")], 4)
    never = {"side_change": {"now": "one", "before": "never"}}
    assert met(never, [*nights(3, side="left"), Night(on=at(2), pain=3, side="right")], 2)
    assert not met(never, [*both, Night(on=at(4), pain=3, side="right")], 4)


def test_weeks_of_use_count_both_ends() -> None:
    assert met({"used_weeks": 1}, nights(1), 7)
    assert not met({"used_weeks": 1}, nights(1), 6)


def test_joining() -> None:
    yes, no = {"used_weeks": 1}, {"flag": "diabetes"}
    diary = nights(1)
    assert met({"all": [yes, yes]}, diary, 7)
    assert not met({"all": [yes, no]}, diary, 7)
    assert met({"any": [no, yes]}, diary, 7)
    assert met({"none": [no]}, diary, 7)
    assert not met({"none": [no]}, diary, 7, Person(flags={"diabetes": True}))


def test_one_pattern_may_wait_for_another() -> None:
    when = {"met_before": ["P7"]}
    assert met(when, nights(7, 7, 7), 20)
    assert not met(when, nights(7, 7, 6), 20)


def test_the_evidence_names_answers_and_nights() -> None:
    found = judge_diary(content(), nights(7, 2, 7, 7), at(4), Person())
    (severe,) = (finding for finding in found if finding.rule == "P7")
    assert severe.evidence == ("pain_from:7", "night:2026-03-02", "night:2026-03-04", "night:2026-03-05")
    assert severe.level is Level.SOON


def test_the_side_is_named_where_all_nights_agree() -> None:
    left = judge_diary(content(), nights(7, 7, 7, side="left"), at(3), Person())
    assert {finding.side for finding in left if finding.rule == "P7"} == {"left"}
    mixed = [*nights(7, 7, side="left"), Night(on=at(3), pain=7, side="right")]
    assert {one.side for one in judge_diary(content(), mixed, at(3), Person()) if one.rule == "P7"} == {None}


def test_a_stronger_pattern_speaks_in_place_of_another() -> None:
    diary = nights(*[2] * 28, woke=1)
    found = judge_diary(content(), diary, at(28), Person())
    assert {"P3", "P4"} <= {finding.rule for finding in found}
    assert "P3" not in {finding.rule for finding in spoken(content(), found)}


# --- every row ---------------------------------------------------------------------------------------------

ROWS = [
    *(f"E{number}" for number in range(1, 28)),
    *(f"U{number}" for number in range(1, 25)),
    *(f"S{number}" for number in range(1, 18)),
    *(f"R{number}" for number in range(1, 11)),
    *(f"P{number}" for number in range(1, 25)),
    "P6b",
    "P7b",
    "P8b",
]
ELSEWHERE = {"S11": "P7", "S12": "P8"}  # rows that are a pattern under another name
ALL_RED_FLAGS = "P1"
GRAVE_CASES, OTHER_CASES = 3, 1


def test_every_row_of_the_reviewed_tables_has_rule_words_source_and_review() -> None:
    for row in ROWS:
        if row == ALL_RED_FLAGS:
            continue
        name = ELSEWHERE.get(row, row)
        rule = content().rules[name]
        words = content().rule_words[name]
        assert words.line, row
        assert words.action, row
        assert rule.sources, row
        assert rule.review.best_before > date(2026, 1, 1), row


def test_every_row_has_its_cases() -> None:
    raised: Counter[str] = Counter()
    for path in OURS:
        for one in replayed(path):
            raised.update({finding.rule for finding, _ in one.result.findings} | {*one.result.asks})
    for row in ROWS:
        if row != ALL_RED_FLAGS:
            wanted = GRAVE_CASES if row[0] in "EU" else OTHER_CASES
            assert raised[ELSEWHERE.get(row, row)] >= wanted, row


def test_no_pattern_is_there_without_being_counted() -> None:
    assert {*content().patterns} - {*ROWS} == {
        *("P12b", "P13b", "P18b"),  # the other half of their rows
        *("S8_nights", "S10_nights", "R6_nights"),  # the same rows, seen in the nights
    }


def test_rows_of_one_topic_share_it() -> None:
    rules = content().rules
    for one, other in (
        *(("S6", "P14"), ("S7", "P16"), ("R1", "P3"), ("R1", "P15"), ("R3", "P6"), ("R3", "P6b")),
        *(("R7", "P4"), ("R9", "P19"), ("R10", "P20"), ("U13", "P2"), ("P8", "P8b"), ("R2", "P5")),
    ):
        assert rules[one].topic == rules[other].topic, (one, other)


def test_patterns_are_plain_words_and_no_verdict() -> None:
    for rule, words in content().pattern_words.items():
        said = f"{words.action} {words.why} {words.do_not}".lower()
        assert "you have a " not in said, rule
        assert "diagnos" not in said, rule


# --- what contradicts itself is refused --------------------------------------------------------------------

PLANTED = [
    (
        "at_least = 3, of = 7, that = { pain_from = 7 }",
        "at_least = 8, of = 7, that = { pain_from = 7 }",
        "P7.when",
    ),
    ("that = { pain_from = 7 }", "that = { pain_from = 11 }", "P7.when"),
    ("that = { pain_from = 7 }", "that = {}", "P7.when"),
    ("that = { pain_from = 7 }", "that = { pain_from = 7, symptoms = false }", "P7.when"),
    ('that = { tired = "lot" }', 'that = { tired = "very" }', "P5.when"),
    ('"leg_numb", "burning_feet"', '"leg_numb", "burning_feat"', "P14.when"),
    ('{ flag = "heavy_alcohol" }', '{ flag = "heavy_alkohol" }', "S10_nights.when"),
    ('sources = ["NG19", "CG168"]', 'sources = ["NG1900"]', "P18b"),
    ('asks = ["E13", "U20"]', 'asks = ["E13", "U200"]', "P7b.asks"),
    ('instead_of = ["P3"]', 'instead_of = ["P33"]', "P4.instead_of"),
    ('met_before = ["P9", "P10"]', 'met_before = ["P24"]', "P24.when"),
    ("need = 5, points = 2, nights_beyond = 3", "need = 8, points = 2, nights_beyond = 3", "P8.when"),
    ("nights = 14, within = 60, fresh = 7, that", "nights = 14, within = 9, fresh = 7, that", "P18.when"),
    ('none = [{ flag = "numb_feet" }]', "none = [{ used_weeks = 2 }]", "P14.when"),
    ('withholds = ["evening_exercise"]', 'withholds = ["yoga"]', "P7.withholds"),
    (
        'lifetime = "soon"\nwhen = { nights = { at_least = 3',
        'lifetime = "urgent"\nwhen = { nights = { at_least = 3',
        "P7.lifetime",
    ),
    ("quiet_days = 7\nwhen = { nights", "when = { nights", "P7b.quiet_days"),
]


@pytest.mark.parametrize(("old", "new", "where"), PLANTED)
def test_a_contradiction_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, where: str) -> None:
    folder = Path(shutil.copytree(loader.HERE, tmp_path / "content"))
    path = folder / "rules" / "patterns.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load("en", folder)
    assert f"rules/patterns.toml: {where}" in str(refused.value)


def test_a_pattern_without_words_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(loader.HERE, tmp_path / "content"))
    path = folder / "en" / "patterns.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[P24]", "[P25]"), encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load("en", folder)
    assert "en/patterns.toml: P24: has a rule and no words" in str(refused.value)


# --- what always holds -------------------------------------------------------------------------------------

SIGNS = [
    "leg_swollen",
    "chest_pain",
    "foot_cold",
    "leg_sore",
    "both_legs_swollen",
    "vein_inflamed",
    "weight_loss",
]


@st.composite
def diaries(draw: st.DrawFn) -> list[Night]:
    """Nights of up to six weeks, some of them not logged."""
    made = []
    for day in range(1, draw(st.integers(1, 42)) + 1):
        if draw(st.integers(0, 4)) == 0:
            continue
        made.append(
            Night(
                on=at(day),
                pain=draw(st.integers(0, 10)),
                woke=draw(st.sampled_from([None, 0, 1, 3])),
                feeling=frozenset(draw(st.lists(st.sampled_from(["cramp", "urge", "burning"]), max_size=2))),
                side=draw(st.sampled_from([None, "left", "right", "both"])),
                helped=frozenset(draw(st.lists(st.sampled_from(["moving", "hanging_down"]), max_size=1))),
                signs=dict.fromkeys(draw(st.lists(st.sampled_from(SIGNS), max_size=1)), "yes"),
                tired=draw(st.sampled_from([None, "not", "lot"])),
                painkiller=draw(st.sampled_from([None, True])),
            )
        )
    return made


def levels(made: list[Night], last: date, patterns: bool = True) -> list[Level]:
    """The level in force after each day, as it is judged every morning."""
    memory, found = Memory(), []
    by_date = {night.on: night for night in made}
    day = START
    while day <= last:
        night = by_date.get(day)
        facts = Facts() if night is None else Facts(signs=night.signs, feeling=night.feeling, pain=night.pain)
        findings = judge(content(), facts)
        if patterns:
            findings += judge_diary(content(), made, day, Person())
        told = advance(content(), memory, Happened(day, findings, logged=night is not None))
        memory = told.memory
        found.append(told.level)
        day += timedelta(days=1)
    return found


@settings(max_examples=60, deadline=None)
@given(diaries(), st.integers(-500, 500))
def test_other_dates_change_nothing(made: list[Night], days: int) -> None:
    by = timedelta(days=days)
    moved = [replace(night, on=night.on + by) for night in made]
    here = judge_diary(content(), made, at(42), Person())
    there = judge_diary(content(), moved, at(42) + by, Person())
    assert [(one.rule, one.level, one.side) for one in here] == [
        (one.rule, one.level, one.side) for one in there
    ]


@settings(max_examples=60, deadline=None)
@given(diaries(), st.randoms(use_true_random=False))
def test_judging_is_the_same_each_time_and_in_any_order(made: list[Night], chance: Any) -> None:
    shuffled = made[:]
    chance.shuffle(shuffled)
    here = judge_diary(content(), made, at(42), Person())
    assert here == judge_diary(content(), made, at(42), Person())
    assert here == judge_diary(content(), shuffled, at(42), Person())


@settings(max_examples=40, deadline=None)
@given(diaries())
def test_a_pattern_never_lowers_a_red_flag(made: list[Night]) -> None:
    last = at(42)
    alone, together = levels(made, last, patterns=False), levels(made, last)
    assert all(more >= less for less, more in zip(alone, together, strict=True))


@settings(max_examples=40, deadline=None)
@given(diaries(), st.integers(1, 10))
def test_nights_without_an_entry_never_lower_what_is_urgent(made: list[Night], more: int) -> None:
    last = made[-1].on if made else START
    before, *after = levels(made, last + timedelta(days=more))[-more - 1 :]
    if before >= Level.URGENT:
        assert all(level >= before for level in after)


@settings(max_examples=40, deadline=None)
@given(diaries(), st.integers(0, 41))
def test_a_night_taken_out_adds_no_count(made: list[Night], place: int) -> None:
    """What is unknown is no evidence: k of n nights is met by fewer diaries, never by more."""
    fewer = [night for at_, night in enumerate(made) if at_ != place]
    counting = {rule for rule, shape in content().patterns.items() if _only_counts(shape.when)}
    before = {one.rule for one in judge_diary(content(), made, at(42), Person())} & counting
    assert {one.rule for one in judge_diary(content(), fewer, at(42), Person())} & counting <= before


def _only_counts(when: When) -> bool:
    if when.nights is not None:
        return when.nights.new_within is None
    return bool(when.any) and all(_only_counts(part) for part in when.any or ())


def test_a_check_in_is_a_night() -> None:
    checkin = CheckIn(at(1), pain=4, feeling=("urge",), awake="over_60", helped=("medicine",), side="left")
    evening = Evening(at(1), done=frozenset({"stretch"}))
    night = night_of(checkin, {"leg_sore": "yes"}, evening, cramps=2)
    assert night.sleep_disturbed
    assert night.has_symptoms
    assert night.painkiller
    assert night.cramp_count == 2
    assert night.did == {"stretch"}
    assert night.has_sign(["leg_sore"])
    assert not night_of(CheckIn(at(1), pain=0, awake="no"), {}).sleep_disturbed


def test_a_night_without_a_score_says_nothing_of_trouble() -> None:
    """Of a week told without a score nobody knows whether the weeks after it were worse."""
    assert Night(START).has_symptoms is None
    assert Night(START, pain=0).has_symptoms is False
    assert Night(START, feeling=frozenset({"cramp"})).has_symptoms is True
