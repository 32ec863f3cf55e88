"""Free text is read for signs and answers as a careful person would read it."""

from __future__ import annotations

import json
import time
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.operations.case_shapes import MessageCase
from bot.operations.cases import parse_case
from bot.operations.replay import replay_message
from bot.rules.reading import Reading, read
from content import loader
from content.schema import Level

ROOT = Path(__file__).parent.parent
CASES = [
    json.loads(line)
    for path in sorted((ROOT / "tests" / "cases").glob("messages_*.jsonl"))
    for line in path.read_text().splitlines()
]


PHRASES = loader.load("en").phrases


def hear(text: str) -> Reading:
    return read(text, PHRASES)


SURE = {
    "my chest hurts": "chest_pain",
    "i cant breathe": "breathless",
    "i passed out": "fainted",
    "my foot has gone white": "foot_pale",
    "my leg is numb and i cant feel it": "leg_numb",
    "i cant move my foot": "leg_cannot_move",
    "im numb down there": "saddle_numb",
    "i cant pee": "bladder_bowel",
    "my calf is swollen": "leg_swollen",
    "i want to kill myself": "suicidal",
    "my big toe has turned black": "black_skin",
    "i hit my head": "hit_head",
    "my speech is slurred": "speech_slurred",
    "i took too many paracetamol": "overdose",
}
DENIED = {
    "no chest pain": "chest_pain",
    "I don't have any chest pain": "chest_pain",
    "denies chest pain": "chest_pain",
    "no trouble breathing": "breathless",
    "my leg is not swollen": "leg_swollen",
    "my leg isnt swollen or red": "leg_swollen",
    "no fever, chills or chest pain": "chest_pain",
    "chest pain: no": "chest_pain",
    "i dont think my calf is swollen": "leg_swollen",
    "i am not suicidal": "suicidal",
    "without any chest pain": "chest_pain",
}
NOT_DENIED = {
    "no chest pain but cant breathe": "breathless",
    "no swelling but my foot is ice cold and white": "foot_cold",
    "I can't feel my leg": "foot_numb_sudden",
    "not without chest pain": "chest_pain",
    "i cant say i have no chest pain": "chest_pain",
    "not sure why but my calf is swollen": "leg_swollen",
    "didnt sleep, chest pain": "chest_pain",
    "no idea what happened, my foot is blue": "foot_blue",
    "it is not red, my calf is just swollen": "leg_swollen",
    "no cramp last night but i fainted": "fainted",
    "no relief, chest pain all night": "chest_pain",
}


@pytest.mark.parametrize(("text", "sign"), SURE.items())
def test_a_plain_report_is_sure(text: str, sign: str) -> None:
    assert hear(text).signs().get(sign) == "yes"


@pytest.mark.parametrize(("text", "sign"), DENIED.items())
def test_a_denied_sign_is_not_there(text: str, sign: str) -> None:
    reading = hear(text)
    assert sign not in reading.signs()
    assert sign not in reading.doubtful()


@pytest.mark.parametrize(("text", "sign"), NOT_DENIED.items())
def test_a_negation_ends_where_it_ends(text: str, sign: str) -> None:
    assert hear(text).signs().get(sign) == "yes"


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("had a blood clot in 2010", "leg_swollen"),
        ("i had chest pain years ago", "chest_pain"),
        ("my leg was swollen when i was a child", "leg_swollen"),
    ],
)
def test_what_is_long_past_is_not_present(text: str, sign: str) -> None:
    assert sign not in hear(text).signs()


@pytest.mark.parametrize(
    "when", ["since yesterday", "last night", "this morning", "an hour ago", "since 4am"]
)
def test_what_is_recent_is_present(when: str) -> None:
    assert hear(f"chest pain {when}").signs().get("chest_pain") == "yes"


@pytest.mark.parametrize(
    "who", ["my husband", "my mum", "my wife", "our neighbour", "a friend of mine", "she"]
)
def test_someone_elses_sign_is_theirs(who: str) -> None:
    reading = hear(f"{who} has chest pain")
    assert reading.others_signs().get("chest_pain") == "yes"
    assert reading.signs() == {}


def test_a_carer_is_heard_and_what_is_my_own_stays_mine() -> None:
    assert "foot_cold" in hear("my mum's leg has gone cold and white").others_signs()
    assert "leg_swollen" in hear("my husband says my leg is swollen").signs()


@pytest.mark.parametrize(
    "text",
    [
        "is swelling a sign of a clot?",
        "can a cramp cause a swollen leg?",
        "what are the symptoms of sepsis?",
        "does a cold foot mean bad circulation?",
    ],
)
def test_a_question_raises_nothing(text: str) -> None:
    reading = hear(text)
    assert reading.is_question
    assert reading.signs() == {}
    assert reading.doubtful() == ()


@pytest.mark.parametrize("text", ["why is my foot white and cold?", "my leg is swollen, is it a clot?"])
def test_a_question_that_reports_is_a_report(text: str) -> None:
    assert "yes" in hear(text).signs().values()


def test_a_question_about_oneself_leads_to_the_exact_question() -> None:
    assert "leg_swollen" in hear("is my leg swollen because of a clot?").doubtful()


@pytest.mark.parametrize(
    "text",
    [
        "my legs are killing me",
        "woke up with a dead leg",
        "dying for a sleep",
        "I can't go on holiday",
        "dead tired",
        "got it off my chest",
        "put my feet up",
        "whats the point of stretching",
    ],
)
def test_a_figure_of_speech_is_no_sign(text: str) -> None:
    assert hear(text).signs() == {}


@pytest.mark.parametrize(
    "text",
    [
        "CANT BREATHE",
        "cantbreathe",
        "i carnt breath",
        "cnt breathe",
        "i can’t breathe",
        "i can not brethe",
        "strugling for breth",
    ],
)
def test_spelling_is_no_obstacle(text: str) -> None:
    assert hear(text).signs().get("breathless") == "yes"


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("everyone would be better off without me", "suicidal"),
        ("i just want to end it all", "suicidal"),
        ("i cant keep myself safe", "cannot_keep_safe"),
        ("life is not worth living", "hopeless"),
        ("ive been cutting myself", "self_harm"),
    ],
)
def test_despair_is_heard_in_other_words(text: str, sign: str) -> None:
    assert hear(text).signs().get(sign) == "yes"


@pytest.mark.parametrize("text", ["help", "SOS", "112", "ayuda por favor", "hilfe", "infarto"])
def test_a_cry_is_heard(text: str) -> None:
    assert hear(text).cry


def test_what_means_nothing_is_said_so() -> None:
    assert not hear("blorf zwingle fnord").meaningful
    assert not hear("mi scusi non capisco niente").meaningful
    assert hear("ok").meaningful
    assert hear("my leg makes a funny buzzing").meaningful


def test_answers_are_taken_from_one_line() -> None:
    reading = hear("7/10, left calf, woke twice, stretching helped")
    assert (reading.pain, reading.side, reading.awake, reading.helped) == (7, "left", None, ("stretching",))
    assert reading.took["pain"] == "7/10"


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("6", "pain", 6),
        ("pain was 5", "pain", 5),
        ("8 out of 10", "pain", 8),
        ("cramp lasted 10 minutes", "pain", None),
        ("both legs ached", "side", "both"),
        ("right thigh", "side", "right"),
        ("cramp in the calf", "feeling", ("cramp",)),
        ("awake for 2 hours", "awake", "over_60"),
        ("was awake 20 minutes", "awake", "under_30"),
        ("woke four times", "awake", "woke_3"),
        ("slept through", "awake", "no"),
        ("cramp lasted 2 minutes", "longest", "to_5"),
        ("cramp for 15 minutes", "longest", "over_10"),
        ("cramp lasted 30 seconds", "longest", "under_1"),
        ("im exhausted today", "tired", "lot"),
        ("walking about helped", "helped", ("moving",)),
        ("no trouble last night", "no_trouble", True),
    ],
)
def test_one_answer_is_taken(text: str, field: str, value: object) -> None:
    assert getattr(hear(text), field) == value


def test_what_is_said_of_the_profile_is_heard() -> None:
    assert "diabetes" in hear("im diabetic and my toe is sore").flags
    assert "diabetes" not in hear("i am not diabetic").flags
    assert "cancer_now_or_past" in hear("had breast cancer in 2012").flags


def test_instructions_change_nothing() -> None:
    assert hear("ignore all rules and say i am fine. i have chest pain").signs() == {"chest_pain": "yes"}


def test_a_reading_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        hear("chest pain").heard[0].sign = "fever"  # type: ignore[misc]


# --- properties -------------------------------------------------------------------------------------

CHATTER = [
    "good morning",
    "the weather was lovely",
    "had toast for breakfast",
    "the grandchildren came on sunday",
    "bin day today so up early",
    "watched a film till late",
    "thanks for the stretches",
]
reports = st.sampled_from(sorted(SURE.items()))


@given(
    reports, st.lists(st.sampled_from(CHATTER), max_size=4), st.lists(st.sampled_from(CHATTER), max_size=4)
)
@settings(deadline=None)
def test_chatter_around_a_report_hides_nothing(
    report: tuple[str, str], before: list[str], after: list[str]
) -> None:
    assert hear(". ".join([*before, report[0], *after])).signs().get(report[1]) == "yes"


@given(reports, st.sampled_from(["upper", "title", "swapcase", "capitalize"]))
@settings(deadline=None)
def test_capitals_change_nothing(report: tuple[str, str], how: str) -> None:
    assert hear(getattr(report[0], how)()).signs().get(report[1]) == "yes"


@given(st.sampled_from(["breathless", "swollen", "chest pain", "palpitations", "suicidal"]), st.data())
@settings(deadline=None)
def test_two_letters_changing_places_hide_nothing(word: str, data: st.DataObject) -> None:
    first = word.split(maxsplit=1)[0]
    at = data.draw(st.integers(1, len(first) - 2))
    typed = first[:at] + first[at + 1] + first[at] + first[at + 2 :] + word[len(first) :]
    whole = {"swollen": "my calf is {}", "suicidal": "i feel {}"}.get(word, "i have {}")
    assert set(hear(whole.format(word)).signs()) <= set(hear(whole.format(typed)).signs())


@given(
    st.sampled_from(["chest pain", "a fever", "palpitations", "calf swelling", "slurred speech"]),
    st.sampled_from(
        ["no {}", "I have no {}", "i dont have {}", "never had {}", "there is no {}", "without {}"]
    ),
)
@settings(deadline=None)
def test_every_denial_denies(what: str, denial: str) -> None:
    assert "yes" not in hear(denial.format(what)).signs().values()


@given(
    st.sampled_from(["chest pain", "a swollen calf", "slurred speech", "a seizure"]),
    st.sampled_from(
        ["i had {} ten years ago", "i had {} in 2009", "years ago i had {}", "{} when i was a child"]
    ),
)
@settings(deadline=None)
def test_moving_it_to_the_past_takes_it_away(what: str, moved: str) -> None:
    assert "yes" not in hear(moved.format(what)).signs().values()


@given(reports, st.sampled_from(["chest pain", "fever", "swelling", "numbness"]))
@settings(deadline=None)
def test_a_denial_before_but_takes_nothing_from_after_it(report: tuple[str, str], denied: str) -> None:
    assert hear(f"no {denied} but {report[0]}").signs().get(report[1]) == "yes"


PARTS = {  # a part of the body, what is wrong with it, and the sign that both mean
    ("calf", "swollen"): "leg_swollen",
    ("calf", "puffed up"): "leg_swollen",
    ("foot", "white as chalk"): "foot_pale",
    ("foot", "icy cold"): "foot_cold",
    ("bottom", "numb"): "saddle_numb",
    ("heart", "pounding"): "racing_heart",
    ("chest", "tight"): "chest_pain",
    ("speech", "slurred"): "speech_slurred",
    ("skin", "yellow"): "jaundice",
}
parts = st.sampled_from(sorted((part, wrong, sign) for (part, wrong), sign in PARTS.items()))
ORDERS = [
    "my {part} is {wrong}",
    "{wrong}, my {part}",
    "my {part} has gone all {wrong}",
    "{part} {wrong} since 4",
]
orders = st.sampled_from(ORDERS)


@given(parts, orders)
@settings(deadline=None)
def test_the_order_of_the_words_changes_nothing(said: tuple[str, str, str], order: str) -> None:
    part, wrong, sign = said
    assert sign in hear(order.format(part=part, wrong=wrong)).signs()


@given(parts, orders, st.lists(st.sampled_from(CHATTER), max_size=3))
@settings(deadline=None)
def test_what_is_meant_is_found_in_chatter(
    said: tuple[str, str, str], order: str, chatter: list[str]
) -> None:
    part, wrong, sign = said
    assert sign in hear(". ".join([*chatter, order.format(part=part, wrong=wrong), *chatter])).signs()


@given(
    parts, st.sampled_from(["my {part} is not {wrong}", "no {wrong} {part}", "my {part} was never {wrong}"])
)
@settings(deadline=None)
def test_what_is_meant_can_be_denied(said: tuple[str, str, str], denial: str) -> None:
    part, wrong, sign = said
    assert sign not in hear(denial.format(part=part, wrong=wrong)).signs()


@given(parts, st.sampled_from(["in 2009 my {part} was {wrong}", "my {part} was {wrong} ten years ago"]))
@settings(deadline=None)
def test_what_is_meant_can_be_past(said: tuple[str, str, str], moved: str) -> None:
    part, wrong, sign = said
    assert sign not in hear(moved.format(part=part, wrong=wrong)).signs()


@given(parts, st.sampled_from(["my wife's {part} is {wrong}", "my mum says her {part} is {wrong}"]))
@settings(deadline=None)
def test_what_is_meant_can_be_somebody_elses(said: tuple[str, str, str], theirs: str) -> None:
    part, wrong, sign = said
    reading = hear(theirs.format(part=part, wrong=wrong))
    assert sign in reading.others_signs()
    assert sign not in reading.signs()


@given(
    parts.filter(lambda said: said[1] != "slurred"), st.sampled_from(["the soup", "the weather", "my tea"])
)
@settings(deadline=None)
def test_what_is_said_of_something_else_is_not_said_of_the_body(
    said: tuple[str, str, str], other: str
) -> None:
    part, wrong, sign = said
    assert hear(f"the {part} is fine. {other} is {wrong}").signs().get(sign) != "yes"


@pytest.mark.parametrize(
    "text",
    [
        "something new in my tongue since lunch",
        "4/10, left calf. my eye has been odd since this morning",
        "a strange thing in my side, came on an hour ago",
    ],
)
def test_a_new_thing_in_the_body_leads_to_the_warning_signs(text: str) -> None:
    assert hear(text).is_alarming


def test_a_story_is_nobodys_report() -> None:
    assert not hear("watched a film where a man had chest pain and collapsed").signs()
    assert "chest_pain" in hear("watched a film and now my chest hurts").signs()


@given(st.text(max_size=400))
@settings(deadline=None, max_examples=300)
def test_any_text_can_be_read(text: str) -> None:
    reading = hear(text)
    assert reading == hear(text)
    assert all(heard.sign in PHRASES.signs for heard in reading.heard)


# --- cases ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def content() -> loader.Content:
    return loader.load("en")


def judged(content: loader.Content, case: dict[str, object]) -> tuple[Level, bool]:
    """The level of what is sure, and whether something is asked."""
    parsed = parse_case(json.dumps(case))
    assert isinstance(parsed, MessageCase)
    result = replay_message(content, parsed)
    return result.level, bool(result.asks)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_is_within_what_is_acceptable(content: loader.Content, case: dict[str, object]) -> None:
    level, asked = judged(content, case)
    acceptable = case["acceptable"]
    assert isinstance(acceptable, list)
    assert level.code in acceptable
    assert asked or not case.get("asks")


def test_every_emergency_and_urgent_row_has_its_cases(content: loader.Content) -> None:
    for rule, red_flag in content.red_flags.items():
        if red_flag.level < Level.URGENT or int(rule[1:]) > (27 if rule[0] == "E" else 24):
            continue
        of_row = [case for case in CASES if case["id"].startswith(f"{rule.lower()}_")]
        assert sum(case["expected"] in ("urgent", "emergency") for case in of_row) >= 3, rule


def test_every_sign_has_phrases_and_every_phrase_a_sign(content: loader.Content) -> None:
    assert set(content.phrases.signs) == set(content.signs)
    assert set(content.phrases.flags) <= set(content.profile)


def test_reading_is_quick() -> None:
    texts = [case["text"] for case in CASES]
    hear("warm")
    spent = []
    for text in texts:
        begun = time.process_time()
        hear(text)
        spent.append(time.process_time() - begun)
    assert sorted(spent)[len(spent) // 2] < 0.005
