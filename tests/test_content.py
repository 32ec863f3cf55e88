"""The content loads, and every contradiction planted in a copy is refused by file and key."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from content import loader
from content.checks import markup_fault
from content.loader import Content, ContentError, load
from content.schema import Level, Shape

URGENT_WORDS = re.compile(r"today|call|crisis", re.IGNORECASE)
SOFT_WORDS = re.compile(r"don.t worry|probably|nothing serious|no need to|\byou have (a|an) ", re.IGNORECASE)


@pytest.fixture(scope="module")
def content() -> Content:
    return load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(loader.HERE, tmp_path / "content"))


def complaints(folder: Path) -> str:
    with pytest.raises(ContentError) as refused:
        load("en", folder)
    return str(refused.value)


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Change the first place of a file, which must be there."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(old, new, text, count=1, flags=re.MULTILINE | re.DOTALL)
    assert count == 1, f"{file} has no {old!r} any more"
    path.write_text(changed, encoding="utf-8")


def add(folder: Path, file: str, text: str) -> None:
    path = folder / file
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")


def test_the_content_loads(content: Content) -> None:
    assert content.red_flags
    assert content.language == "en"


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    add(folder, "rules/signs.toml", 'itch = { group = "other", implies = ["scratch"] }')
    found = complaints(folder).splitlines()
    assert (
        "rules/signs.toml: itch.implies: there is no sign 'scratch'; write one that exists, or add it"
        in found
    )
    assert "en/signs.toml: itch: has a rule and no words; write them" in found


PLANTED = [
    # file, what is there, what is planted, how the complaint begins
    ("rules/red_flags.toml", r'sign = "saddle_numb"', 'sign = "sadle_numb"', "rules/red_flags.toml: E4.when"),
    ("rules/red_flags.toml", r'flag = "statin"', 'flag = "statins"', "rules/red_flags.toml: U12.when.all.0"),
    ("rules/red_flags.toml", r'helped = "hanging_down"', 'helped = "hung"', "rules/red_flags.toml: U3.when"),
    ("rules/red_flags.toml", r'feeling = "cramp"', 'feeling = "knot"', "rules/red_flags.toml: E19.when"),
    (
        "rules/red_flags.toml",
        r'sources = \["NHS-STAT"',
        'sources = ["NHS-STATIN"',
        "rules/red_flags.toml: U12",
    ),
    (
        "rules/red_flags.toml",
        r'withholds = \["stretch"',
        'withholds = ["yoga"',
        "rules/red_flags.toml: E4.withholds",
    ),
    (
        "rules/red_flags.toml",
        r'area = "chest"',
        'area = "chess"',
        "rules/red_flags.toml: E2.area: en/messages.toml",
    ),
    (
        "rules/red_flags.toml",
        r'lifetime = "urgent"',
        'lifetime = "soon"',
        "rules/red_flags.toml: U27.lifetime: soon does not fit the level urgent",
    ),
    (
        "rules/red_flags.toml",
        r'when = \{ sign = "saddle_numb" \}',
        'when = { all = [{ sign = "saddle_numb" }, { none = [{ sign = "saddle_numb" }] }] }',
        "rules/red_flags.toml: E4.when: can never be true",
    ),
    (
        "rules/red_flags.toml",
        r'when = \{ sign = "saddle_numb" \}',
        'when = { all = [{ sign = "suicidal" }, { none = [{ sign = "very_low_mood" }] }] }',
        "rules/red_flags.toml: E4.when: can never be true",
    ),
    (
        "rules/red_flags.toml",
        r'when = \{ sign = "saddle_numb" \}',
        'when = { none = [{ sign = "saddle_numb" }] }',
        "rules/red_flags.toml: E4.when: is true for everybody",
    ),
    (
        "rules/red_flags.toml",
        r'when = \{ sign = "saddle_numb" \}',
        'when = { sign = "saddle_numb", flag = "statin" }',
        "rules/red_flags.toml: E4.when: a condition has one of",
    ),
    (
        "rules/red_flags.toml",
        r"when = \{ sign = \"saddle_numb\" \}",
        "when = { any = [] }",
        "rules/red_flags.toml: E4",
    ),
    (
        "rules/red_flags.toml",
        r'reviewer = ""',
        'reviewer = "Dr A"',
        "rules/red_flags.toml: E2: a review needs both",
    ),
    ("en/red_flags.toml", r"^\[S3\]", "[S33]", "en/red_flags.toml: S3: has a rule and no words"),
    ("en/red_flags.toml", r'^do_not = "[^"]*"\n', "", "en/red_flags.toml: E2.do_not: is missing"),
    ("en/red_flags.toml", r"^\[E23.other\].*?\n\n", "", "en/red_flags.toml: E23.other: is missing"),
    (
        "en/red_flags.toml",
        r'^action = "Call',
        'action = "Call 999',
        "en/red_flags.toml: E2: looks like a phone number",
    ),
    ("en/red_flags.toml", r'^why = "', 'why = "<b>', "en/red_flags.toml: E2.why: <b> is not closed"),
    ("en/red_flags.toml", r'^label = "', f'label = "{"x" * 41}', "en/red_flags.toml: E2.label"),
    ("rules/lifecycles.toml", r"^\[despair\]", "[sadness]", "rules/lifecycles.toml: despair: is missing"),
    ("rules/lifecycles.toml", r'"safe"', '"gone_home"', "rules/lifecycles.toml: despair.ends_on"),
    (
        "rules/lifecycles.toml",
        r"repeat_minutes = \[5, 15",
        "repeat_minutes = [15, 5",
        "rules/lifecycles.toml: emergency.repeat_minutes",
    ),
    ("rules/gates.toml", r'"fluid_limit"', '"fluid_limits"', "rules/gates.toml: drink_more.flags"),
    ("rules/gates.toml", r'"foot_cold"', '"foot_chilly"', "rules/gates.toml: elevation.signs"),
    (
        "rules/gates.toml",
        r'replace_with = "fluid_team"',
        'replace_with = "drink_to_thirst"',
        "rules/gates.toml: drink_more.replace_with: drink_to_thirst is itself withheld then",
    ),
    (
        "rules/gates.toml",
        r'replace_with = "position_flat"',
        'replace_with = "warmth"',
        "rules/gates.toml: elevation.replace_with: warmth is forbidden by the same flag artery_disease",
    ),
    (
        "rules/gates.toml",
        r'replace_with = "fluid_team"',
        'replace_with = "fluid_crew"',
        "rules/gates.toml: drink_more.replace_with: there is no tip",
    ),
    (
        "rules/gates.toml",
        r'replace_with = "fluid_team"',
        "",
        "rules/gates.toml: drink_more.replace_with: is missing",
    ),
    ("rules/tips.toml", r"number = 2$", "number = 1", "rules/tips.toml: calf_stretch.number"),
    (
        "rules/tips.toml",
        r'techniques = \["drink_more"\]',
        'techniques = ["gulp"]',
        "rules/tips.toml: drink_to_thirst",
    ),
    (
        "rules/pieces.toml",
        r'tip = "sleep_habits"',
        'tip = "sleep_tips"',
        "rules/pieces.toml: wind_same_time.tip",
    ),
    (
        "rules/checkin.toml",
        r'"leg_swollen"\]',
        '"leg_swolen"]',
        "rules/checkin.toml: signs.leg_swollen.signs",
    ),
    (
        "rules/checkin.toml",
        r'"E23", "U22"',
        '"U22", "E23"',
        "rules/checkin.toml: signs.low_mood.rows: the gravest",
    ),
    (
        "rules/checkin.toml",
        r'rows = \["U3"\]',
        'rows = ["U33"]',
        "rules/checkin.toml: helped.hanging_down.rows",
    ),
    ("rules/checkin.toml", r'code = "p10"', 'code = "p9"', "rules/checkin.toml: pain: p9 is there twice"),
    (
        "rules/checkin.toml",
        r"only_if_trouble = false # asked",
        "only_if_trouble = true # asked",
        "rules/checkin.toml: signs.only_if_trouble",
    ),
    (
        "rules/checkin.toml",
        r'code = "under_1"',
        f'code = "{"x" * 40}"',
        "en/checkin.toml: longest.options: " + "x" * 40 + ": has no words",
    ),
    (
        "rules/checkin.toml",
        r'only_if_feeling = "cramp"',
        'only_if_feeling = "knot"',
        "rules/checkin.toml: longest",
    ),
    ("en/checkin.toml", r'^chest = "', f'chest = "{"x" * 40}', "en/checkin.toml: signs.options.chest: is"),
    ("numbers.toml", r'^fallback = "[^"]*"', 'fallback = "none"', "numbers.toml: fallback: has no digits"),
    (
        "numbers.toml",
        r'^fallback_further = "[^"]*"',
        'fallback_further = "none"',
        "numbers.toml: fallback_further: has no digits",
    ),
    (
        "en/profile.toml",
        r"Do you have diabetes\?",
        "Do you have <blink>diabetes</blink>?",
        "en/profile.toml: diabetes",
    ),
    ("en/pieces.toml", r'^wind_plan = "', 'wind_plan = "a < b ', "en/pieces.toml: wind_plan: a lone <"),
    ("en/messages.toml", r"\A", 'zz_planted = "Hello {name"\n', "en/messages.toml: zz_planted: its gaps"),
    (
        "en/messages.toml",
        r"\A",
        'zz_planted = "Hello {}"\n',
        "en/messages.toml: zz_planted: a gap has no name",
    ),
    (
        "en/messages.toml",
        r'^card_numbers_emergency = "[^"]*"',
        'card_numbers_emergency = "{emergancy}"',
        "en/messages.toml: card_numbers_emergency: nothing fills {emergancy} here; write {emergency}",
    ),
    (
        "en/messages.toml",
        r'^card_numbers_emergency = "[^"]*"',
        'card_numbers_emergency = "Call."',
        "en/messages.toml: card_numbers_emergency: {emergency} is missing",
    ),
    ("en/messages.toml", r'^card_repeat = "[^"]*"', "", "en/messages.toml: card_repeat: is missing"),
    (
        "en/messages.toml",
        r"\A",
        'zz_planted = "<i>Hello"\n',
        "en/messages.toml: zz_planted: <i> is not closed",
    ),
    (
        "en/messages.toml",
        r"\A",
        'zz_planted = { one = "1" }\n',
        "en/messages.toml: zz_planted: a table of plurals",
    ),
    (
        "en/messages.toml",
        r"\A",
        f'caption_zz = "{"x" * 1025}"\n',
        "en/messages.toml: caption_zz: is 1025 characters",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "complaint"), PLANTED)
def test_a_planted_contradiction_is_refused(
    folder: Path, file: str, old: str, new: str, complaint: str
) -> None:
    change(folder, file, old, new)
    assert any(line.startswith(complaint) for line in complaints(folder).splitlines()), complaints(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "rules" / "lifecycles.toml").unlink()
    assert "rules/lifecycles.toml: the file is missing" in complaints(folder)


def test_each_evening_part_needs_a_piece_that_nothing_withholds(folder: Path) -> None:
    path = folder / "rules" / "pieces.toml"
    free = re.compile(r'(part = "wind_down", tip = "\w+") \}')
    path.write_text(
        free.sub(r'\1, techniques = ["stretch"] }', path.read_text(encoding="utf-8")), encoding="utf-8"
    )
    change(folder, "rules/gates.toml", r"^\[breathing\]", '[breathing]\nsigns = ["breathless"]')
    assert "rules/pieces.toml: wind_down: no piece is free of every gate" in complaints(folder)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<b>plain <i>words</i></b>", ""),
        ("<b><i>crossed</b></i>", "closes nothing"),
        ("closed</b>", "closes nothing"),
        ("<a href='x'>link</a>", "cannot be sent"),
        ("5 &lt; 6", ""),
        ("5 < 6", "a lone <"),
    ],
)
def test_only_markup_that_can_be_sent_passes(text: str, fault: str) -> None:
    assert fault in markup_fault(text) if fault else not markup_fault(text)


def test_a_grave_card_says_first_what_to_do_and_never_softens(content: Content) -> None:
    for rule, words in content.red_flag_words.items():
        assert not SOFT_WORDS.search(f"{words.action} {words.why} {words.do_not}"), rule
        if content.red_flags[rule].level >= Level.URGENT:
            assert URGENT_WORDS.search(words.action), rule
            assert words.question.endswith(("?", ".", ")")), rule


def test_an_emergency_card_says_not_to_drive(content: Content) -> None:
    for rule, words in content.red_flag_words.items():
        if content.red_flags[rule].lifetime == "emergency":
            assert re.search(r"\bdriv", f"{words.action} {words.do_not}"), rule
    for rule, pattern in content.patterns.items():
        if pattern.level is Level.EMERGENCY:
            assert "Do not drive" in content.pattern_words[rule].do_not, rule


def sayings(content: Content) -> dict[str, str]:
    """Every text that advises, by where it stands, without the emergency cards themselves."""
    waiting = [rule for rule in content.red_flags if content.red_flags[rule].level < Level.EMERGENCY]
    shaped: dict[str, Mapping[str, Shape]] = {
        "red_flags": {rule: content.red_flag_words[rule] for rule in waiting},
        "patterns": content.pattern_words,
        "tips": content.tip_words,
        "causes": content.cause_words,
    }
    found = {
        f"{file}: {key}.{name}": str(text)
        for file, entries in shaped.items()
        for key, words in entries.items()
        for name, text in words.model_dump().items()
    }
    found |= {f"routine: {name}": text for name, text in content.routine_words.items()}
    found |= {f"pieces: {name}": text for name, text in content.piece_words.items()}
    for key, entry in content.words.messages.items():
        forms = {"": entry} if isinstance(entry, str) else entry
        found |= {f"messages: {key}.{form}": text for form, text in forms.items()}
    return found


EMERGENCY_SIGN = re.compile(
    r"chest pain|trouble breathing|breathless(?! on| when)|(shorter|short of) breath(?!.*\bmove\b)"
    r"|between (your|the) legs|black skin|skin turn\w* black"
    r"|\b(cold|pale|white|blue)[^.:]{0,20}(foot|leg)\b|(foot|leg)[^.:]{0,30}\b(cold|pale|white|blue)\b",
    re.IGNORECASE,
)
SEEN_LATER = re.compile(
    r"be seen|same day|your team today|within days|a doctor|help today|say so first", re.IGNORECASE
)


def softened(text: str) -> list[str]:
    """Return the sentences that name a sign of an emergency and say something less than to call."""
    return [
        sentence
        for sentence in re.split(r"(?<=[.?])\s+|\n", text)
        if EMERGENCY_SIGN.search(sentence) and SEEN_LATER.search(sentence)
        if not re.search(r"\bcall\b", sentence, re.IGNORECASE)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "With fever, spreading redness or black skin, be seen today.",
        "Breathless, or one leg much bigger, be seen today.",
        "With one swollen leg, a cold or pale foot, numbness between your legs, be seen today.",
        "If the leg is swollen, cold or changing colour, say so first.",
    ],
)
def test_what_would_soften_an_emergency_is_found(text: str) -> None:
    assert softened(text)


def test_nothing_softens_an_emergency(content: Content) -> None:
    assert {where: found for where, text in sayings(content).items() if (found := softened(text))} == {}


def test_colour_is_asked_in_words_for_every_skin(content: Content) -> None:
    for rule in ("E3", "E8", "E9", "E10", "E17", "E18", "U1", "U4", "U5", "U8", "U15", "U17", "U23"):
        assert "brown or black skin" in content.red_flag_words[rule].question, rule
    assert "brown or black skin" in content.question_words["signs"].ask


def test_no_card_but_the_statin_rows_speaks_of_stopping_a_medicine(content: Content) -> None:
    for rule, words in content.red_flag_words.items():
        stops = re.findall(r"[^.]*\bstop taking\b[^.]*", f"{words.action} {words.why} {words.do_not}")
        assert not stops or rule in ("E14", "U12"), rule


def test_the_lower_spine_is_asked_about_each_morning_and_named_on_every_card_of_the_back(
    content: Content,
) -> None:
    signs = content.questions["signs"]
    assert not signs.only_if_trouble
    assert "saddle_numb" in {sign for option in signs.options for sign in option.signs}
    assert {"E4", "E6"} <= {*content.signs["leg_numb"].asks}
    named = {rule: f"{words.action} {words.do_not}" for rule, words in content.rule_words.items()}
    spoken = {rule: named[rule] for rule in ("U7", "R4", "P21")}
    spoken |= {name: content.cause_words[name].see_someone for name in ("sciatica", "piriformis", "stenosis")}
    for where, text in spoken.items():
        assert "between the legs" in text, where
        assert re.search("bladder|cannot pee", text), where
        assert re.search("emergency", text, re.IGNORECASE), where


def test_nobody_is_led_to_iron_minerals_or_quinine(content: Content) -> None:
    for rule in ("R3", "P6", "P6b"):
        assert "Take no iron before a blood test." in content.rule_words[rule].do_not, rule
    for rule in ("R1", "P3", "P15"):
        assert "no quinine or tonic water" in content.rule_words[rule].do_not, rule
    for rule in ("E19", "U14", "S8", "S8_nights", "S10_nights"):
        do_not = content.rule_words[rule].do_not
        assert re.search("(not take|[Tt]ake no) .*(potassium|minerals|mineral|magnesium)", do_not), rule


def test_the_same_amounts_stand_in_question_and_profile(content: Content) -> None:
    for text in (content.red_flag_words["S10"].question, content.profile_words["heavy_alcohol"].question):
        assert re.search(r"\b6 pints of beer\b.*\b6 medium glasses of wine", text), text


def test_the_profile_asks_for_all_that_makes_a_clot_likelier(content: Content) -> None:
    asked = " ".join(words.question for words in content.profile_words.values())
    for risk in ("operation", "in bed", "long journey", "plaster cast", "cancer", "pregnant", "oestrogen"):
        assert risk in asked, risk
    assert "blood clot" in asked


def test_despair_is_met_by_a_human_first(content: Content) -> None:
    for rule in ("E23", "U22"):
        assert content.red_flag_words[rule].action.startswith("I am glad you told me.")
        assert "crisis line" in content.red_flag_words[rule].action
        assert content.red_flags[rule].lifetime == "despair"


def test_what_must_not_fade_stays(content: Content) -> None:
    assert {rule for rule, red_flag in content.red_flags.items() if red_flag.stays} == {
        "E3",
        "U1",
        "U2",
        "U3",
        "U17",
        "U27",
    }


def test_questions_that_share_their_evidence_share_a_topic(content: Content) -> None:
    for rules in (("E1", "E2", "E27"), ("U1", "U2", "U17"), ("E4", "E5", "E6", "U6"), ("E23", "U22")):
        assert len({content.red_flags[rule].topic for rule in rules}) == 1, rules
