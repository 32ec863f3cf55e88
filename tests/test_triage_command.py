"""The `triage` command, from a file or standard input: what it prints, what it counts, what it refuses."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.operations.case_shapes import DiaryCase
from bot.operations.cases import parse_case, replay
from bot.operations.replay import flags_of
from content.schema import Level
from tests.replays import BLIND, OURS, content, replayed

DIARIES_RIGHT = 0.95
LEAST_DIARIES, LEAST_MESSAGES = 120, 300


def case(**fields: Any) -> str:
    return json.dumps({"id": "one", **fields})


def triage(capsys: pytest.CaptureFixture[str], tmp_path: Path, *lines: str) -> tuple[int, list[Any], str]:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    code = main(["triage", str(file)])
    shown = capsys.readouterr()
    return code, [json.loads(line) for line in shown.out.splitlines()], shown.err


# --- our cases and the blind ones --------------------------------------------------------------------------


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_cases_come_out_as_acceptable(path: Path) -> None:
    faults = {one.case.id: one.faults for one in replayed(path) if one.faults}
    assert not faults


def test_there_are_enough_cases_each_with_its_reason() -> None:
    cases = [one.case for path in OURS for one in replayed(path)]
    diaries = [one for one in cases if isinstance(one, DiaryCase)]
    assert len(diaries) >= LEAST_DIARIES
    assert len(cases) - len(diaries) >= LEAST_MESSAGES
    assert all(one.why and one.expected for one in cases)


@pytest.mark.parametrize("path", BLIND, ids=lambda path: path.stem)
def test_the_blind_cases_are_reported_apart(path: Path, record_property: Any) -> None:
    found = replayed(path)
    right = sum(not one.faults for one in found)
    record_property(f"blind {path.stem}", f"{right} of {len(found)}")
    print(f"blind {path.stem}: {right} of {len(found)} within what is acceptable")
    if all(isinstance(one.case, DiaryCase) for one in found):
        assert right >= DIARIES_RIGHT * len(found)


# --- what is printed ---------------------------------------------------------------------------------------


def test_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, (shown,), _ = triage(capsys, tmp_path, case(text="chest pain and cant breathe"))
    assert code == 0
    assert {*shown} == {"id", "level", "findings", "signs", "asks"}
    assert shown["level"] == "emergency"
    assert {"rule", "level", "evidence"} == {*shown["findings"][0]}
    assert "chest_pain" in shown["signs"]


def test_a_word_for_help_gets_the_list_of_warning_signs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, (shown,), _ = triage(capsys, tmp_path, case(text="SOS"))
    assert shown["asks"] == ["signs"]


def test_a_diary(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    days = [{"day": day, "pain": 8} for day in (1, 2, 3)]
    code, (shown,), _ = triage(capsys, tmp_path, case(days=days))
    assert code == 0
    assert {*shown} == {"id", "level", "by_day", "findings", "asks"}
    assert [day["level"] for day in shown["by_day"]] == ["none", "none", "soon"]
    assert shown["by_day"][2]["told"] is True
    assert {"E13", "U20"} <= {*shown["asks"]}
    (severe,) = (found for found in shown["findings"] if found["rule"] == "P7")
    assert severe["day"] == 3


def test_a_case_that_comes_out_otherwise(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [
        case(text="slept well", expected="urgent", acceptable=["urgent"], why="wrong on purpose"),
        case(text="slept well", expected="none", acceptable=["none"], why="right"),
    ]
    code, shown, summary = triage(capsys, tmp_path, *lines)
    assert code == 1
    assert len(shown) == 2
    assert "none, expected urgent" in summary
    assert "wrong on purpose" in summary
    table = {row.split()[0]: row.split()[1:] for row in summary.splitlines()[1:3]}
    assert table == {"urgent": ["0", "0", "1", "0"], "none": ["1", "0", "0", "0"]}


@pytest.mark.parametrize(
    ("expected", "fault"),
    [
        ({"level": "soon", "raised": ["P7"], "by_day": [{"day": 3, "level": "soon", "told": True}]}, ""),
        ({"level": "soon", "raised": ["P8"]}, "did not raise P8"),
        ({"level": "soon", "by_day": [{"day": 2, "level": "soon"}]}, "day 2: none, expected soon"),
        ({"level": "soon", "by_day": [{"day": 3, "told": False}]}, "day 3: told"),
        ({"level": "soon", "by_day": [{"day": 3, "raised": ["P8"]}]}, "day 3: did not raise P8"),
        ({"level": "soon", "by_day": [{"day": 9, "level": "soon"}]}, "day 9: has no entry"),
    ],
)
def test_what_is_expected_of_a_diary(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, expected: Any, fault: str
) -> None:
    days = [{"day": day, "pain": 7} for day in (1, 2, 3)]
    code, _, summary = triage(capsys, tmp_path, case(days=days, expected=expected))
    assert code == (1 if fault else 0)
    assert fault in summary


def test_an_exact_question_must_be_put(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = case(text="ok thanks", expected="none", asks=["U1"])
    code, _, summary = triage(capsys, tmp_path, asked)
    assert code == 1
    assert "did not ask U1" in summary


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(case(text="slept well") + "\n\n"))
    assert main(["triage", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["level"] == "none"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "a case is an object with either text"),
        (case(), "a case is an object with either text"),
        (case(days=[]), "days: List should have at least 1"),
        (case(days=[{"day": 1, "pain": 11}]), "days.0.pain: Input should be less than or equal to 10"),
        (case(days=[{"day": 1, "signs": ["swollne"]}]), "day 1: signs: there is no 'swollne'"),
        (case(days=[{"day": 1, "feeling": ["sore"]}]), "day 1: feeling: there is no 'sore'"),
        (case(days=[{"day": 1, "seen": ["nobody"]}]), "day 1: outcomes: there is no 'nobody'"),
        (case(text="x", profile={"flags": ["rich"]}), "profile.flags: there is no flag 'rich'"),
        (case(text="x", expected="dire"), "expected.level"),
    ],
)
def test_a_bad_line_is_named_and_the_others_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str, said: str
) -> None:
    code, shown, complaints = triage(capsys, tmp_path, case(text="slept well"), line, case(text="slept well"))
    assert code == 1
    assert len(shown) == 2
    assert f"cases.jsonl:2: {said}" in complaints
    assert "1 could not be read" in complaints


def test_a_missing_file_and_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["triage", str(tmp_path / "none.jsonl")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["triage"]) == 2


def test_every_code_is_printed_with_its_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triage", "--codes"]) == 0
    shown = dict(line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line)
    assert all(shown.values())
    warnings = {option.code for option in content().questions["signs"].options}
    feelings = {option.code for option in content().questions["feeling"].options}
    reliefs = {option.code for option in content().questions["helped"].options}
    wanted = {*content().signs, *content().profile, *content().rules, *warnings, *feelings, *reliefs}
    assert wanted <= {*shown}


# --- entries -----------------------------------------------------------------------------------------------


def level_of(*days: dict[str, Any], **profile: Any) -> Level:
    return replay(content(), parse_case(case(days=[*days], profile=profile))).level


def test_two_entries_of_a_day_meet_and_an_edit_replaces() -> None:
    swollen, chest = {"day": 1, "signs": ["leg_swollen"]}, {"day": 1, "signs": ["chest"]}
    assert replay(content(), parse_case(case(days=[swollen, chest]))).raised >= {"U1", "E2"}
    assert level_of(swollen, {"day": 1, "signs": ["none"], "edit": True}) is Level.URGENT
    assert level_of({"day": 1, "pain": 9}, {"day": 2, "pain": 9}, {"day": 3, "pain": 9}) is Level.SOON
    slip = {"day": 3, "pain": 2, "edit": True}
    assert level_of({"day": 1, "pain": 9}, {"day": 2, "pain": 9}, {"day": 3, "pain": 9}, slip) is Level.NONE


def test_an_age_answers_the_flags_about_age() -> None:
    def flags(age: int) -> dict[str, bool]:
        return flags_of(content(), parse_case(case(text="x", profile={"age": age})).profile)

    assert flags(66) == {"age_20_plus": True, "age_51_plus": True, "age_65_plus": True}
    assert flags(50) == {"age_20_plus": True, "age_51_plus": False, "age_65_plus": False}
    assert flags(19) == {"age_20_plus": False, "age_51_plus": False, "age_65_plus": False}


def test_an_unanswered_exact_question_counts_as_not_sure() -> None:
    assert level_of({"day": 1, "pain": 3, "signs": ["sore"]}, flags=["diabetes"]) is Level.URGENT
    assert level_of({"day": 1, "pain": 3, "signs": ["low_mood"]}) is Level.URGENT


def test_days_without_an_entry_are_judged_too() -> None:
    days = [{"day": 1, "pain": 9}, {"day": 2, "pain": 9}, {"day": 3, "pain": 9}]
    assert level_of(*days, {"day": 14, "answered": False}) is Level.SOON
    assert level_of(*days, {"day": 15, "answered": False}) is Level.NONE


def test_a_part_of_a_row_names_the_row_of_the_table_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    days = [{"day": 1, "signs": ["foot_sore"]}]
    _, (shown,), _ = triage(capsys, tmp_path, case(profile={"flags": ["diabetes"]}, days=days))
    assert {"P18", "P18b"} <= {*shown["by_day"][0]["raised"]}
