"""The number of an ambulance is always shown, with the caution it deserves."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

import content
from bot.rules.numbers import NumbersShown, emergency_lines
from content.schema import Country, Line, Numbers

FILE = Path(content.__file__).parent / "numbers.toml"
NUMBERS = Numbers.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
TODAY = date(2026, 11, 22)
UNION = [
    "AT",
    "BE",
    "BG",
    "HR",
    "CY",
    "CZ",
    "DK",
    "EE",
    "FI",
    "FR",
    "DE",
    "GR",
    "HU",
    "IE",
    "IT",
    "LV",
    "LT",
    "LU",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SK",
    "SI",
    "ES",
    "SE",
]
POLICE_ONLY = {
    "CN": "110", "JP": "110", "TW": "110", "KR": "112", "AE": "999", "SG": "999", "IT": "113", "FR": "17",
    "AT": "133",
    "CH": "117", "BR": "190", "CL": "133", "TH": "191", "IL": "100", "NO": "112", "IN": "100", "VN": "113",
}  # fmt: skip


def called(shown: NumbersShown) -> list[str]:
    return [line.line.number for line in shown.emergency]


def checked(days_ago: int, number: str = "999") -> Numbers:
    country = Country(
        emergency=(Line(number=number, certainty="H"),),
        health=(Line(number="111", certainty="H"),),
        crisis=(Line(number="116 123", certainty="M"),),
        checked_on=TODAY - timedelta(days=days_ago),
    )
    return NUMBERS.model_copy(update={"countries": {"GB": country}})


def test_a_number_nobody_confirmed_is_shown_with_112_beside_it() -> None:
    shown = emergency_lines(NUMBERS, "US", "US", TODAY)
    assert called(shown) == ["911", "112"]
    assert shown.emergency[0].unconfirmed
    assert [line.line.number for line in shown.crisis] == ["988"]


def test_112_does_not_stand_there_twice() -> None:
    shown = emergency_lines(NUMBERS, "DE", "DE", TODAY)
    assert called(shown) == ["112"]
    assert shown.emergency[0].country == "DE"


def test_a_confirmed_number_stands_alone() -> None:
    shown = emergency_lines(checked(10), "GB", "GB", TODAY)
    assert called(shown) == ["999"]
    assert not shown.emergency[0].unconfirmed


@pytest.mark.parametrize(("days", "old"), [(183, False), (184, True), (5000, True)])
def test_an_old_emergency_number_never_hides(days: int, old: bool) -> None:
    shown = emergency_lines(checked(days), "GB", "GB", TODAY)
    assert called(shown) == (["999", "112"] if old else ["999"])
    assert shown.emergency[0].old is old
    assert shown.emergency[0].checked_on == TODAY - timedelta(days=days)


@pytest.mark.parametrize(("days", "hidden"), [(365, False), (366, True)])
def test_health_and_crisis_lines_hide_after_a_year(days: int, hidden: bool) -> None:
    shown = emergency_lines(checked(days), "GB", "GB", TODAY)
    assert (not shown.health) is hidden
    assert (not shown.crisis) is hidden


def test_a_crisis_line_that_is_unsure_waits_for_somebody_to_confirm_it() -> None:
    assert emergency_lines(NUMBERS, "LK", "LK", TODAY).crisis == ()
    confirmed = NUMBERS.countries["LK"].model_copy(update={"checked_on": TODAY})
    numbers = NUMBERS.model_copy(update={"countries": {"LK": confirmed}})
    assert [line.line.number for line in emergency_lines(numbers, "LK", "LK", TODAY).crisis] == ["1926"]


def test_without_a_country_112_comes_first_and_the_zones_numbers_beside_it() -> None:
    shown = emergency_lines(NUMBERS, None, "US", TODAY)
    assert called(shown) == ["112", "911"]


def test_without_anything_there_is_still_112() -> None:
    shown = emergency_lines(NUMBERS, None, None, TODAY)
    assert called(shown) == ["112"]
    assert not shown.emergency[0].unconfirmed


def test_a_country_without_numbers_gets_112_and_911() -> None:
    shown = emergency_lines(NUMBERS, "TD", "TD", TODAY)
    assert called(shown) == ["112", "911"]
    assert shown.none_known


def test_a_country_without_numbers_gets_those_of_its_zone() -> None:
    shown = emergency_lines(NUMBERS, "TD", "FR", TODAY)
    assert called(shown)[0] == "112"
    assert "15" in called(shown)
    assert not shown.none_known


def test_abroad_both_countries_are_shown() -> None:
    shown = emergency_lines(NUMBERS, "US", "BR", TODAY)
    assert called(shown) == ["911", "192", "112"]


@pytest.mark.parametrize("code", sorted(NUMBERS.countries))
def test_no_country_begins_with_the_police(code: str) -> None:
    assert NUMBERS.countries[code].emergency[0].number != POLICE_ONLY.get(code)


def test_every_state_of_the_european_union_has_112() -> None:
    assert all("112" in {line.number for line in NUMBERS.countries[code].emergency} for code in UNION)


def test_a_number_that_answers_in_both_countries_goes_first() -> None:
    shown = emergency_lines(NUMBERS, "GB", "ES", TODAY)
    assert [(one.line.number, one.country, one.shared) for one in shown.emergency] == [
        ("112", "GB", ("ES",)),
        ("999", "GB", ()),
        ("061", "ES", ()),
    ]
