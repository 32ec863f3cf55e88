"""People name their country, their city or what their clock shows; the zone follows from that."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

import content
from bot.flows.location import zones_from_location
from bot.rules.places import (
    choices,
    countries_named,
    country_name,
    country_of_zone,
    find_country,
    find_place,
    places_named,
    zone_label,
    zones_at_clock,
    zones_of,
)
from content.schema import Place

FILE = Path(content.__file__).parent / "places.toml"
NOW = datetime(2026, 11, 22, 20, 40, tzinfo=UTC)


@dataclass(frozen=True)
class OnlyPlaces:
    places: Mapping[str, tuple[Place, ...]]


CONTENT = OnlyPlaces(
    {
        country: tuple(Place.model_validate(entry) for entry in entries)
        for country, entries in tomllib.loads(FILE.read_text(encoding="utf-8")).items()
    }
)


def zones(text: str, country: str | None = None) -> list[str]:
    return [match.zone for match in find_place(CONTENT, text, country)]


@pytest.mark.parametrize("country", sorted(CONTENT.places))
def test_the_choices_of_a_country_cover_each_of_its_clocks(country: str) -> None:
    listed = [place.zone for place in CONTENT.places[country]]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= available_timezones()
    assert all(country_of_zone(zone) == country for zone in listed)
    assert len(zones_of(country)) <= len(listed)


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("GB", ("Europe/London",)),
        ("DE", ("Europe/Berlin",)),
        ("de", ("Europe/Berlin",)),
        ("AR", ("America/Argentina/Buenos_Aires",)),
        ("PT", ("Europe/Lisbon", "Atlantic/Azores")),
        ("XX", ()),
    ],
)
def test_zones_that_differ_only_in_the_past_count_as_one(country: str, expected: tuple[str, ...]) -> None:
    assert zones_of(country) == expected


def test_a_country_with_one_clock_asks_nothing_and_one_with_several_asks() -> None:
    assert [place.label for place in choices(CONTENT, "GR")] == ["Athens"]
    assert len(choices(CONTENT, "DE")) == 1
    assert [place.label for place in choices(CONTENT, "PT")] == ["Mainland", "Madeira", "Azores"]


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("berln", "Europe/Berlin"),
        ("München", "Europe/Berlin"),
        ("são paulo", "America/Sao_Paulo"),
        ("Kiev", "Europe/Kyiv"),
        ("Calcutta", "Asia/Kolkata"),
        ("Los Angles", "America/Los_Angeles"),
        ("NYC", "America/New_York"),
        ("Houston TX", "America/Chicago"),
        ("Houston, Texas", "America/Chicago"),
        ("Portland, Maine", "America/New_York"),
        ("Portland, OR", "America/Los_Angeles"),
        ("Springfield, IL", "America/Chicago"),
        ("London, Canada", "America/Toronto"),
        ("Tenerife", "Atlantic/Canary"),
        ("St. John's", "America/St_Johns"),
        ("Saint Petersburg", "Europe/Moscow"),
        ("Москва", "Europe/Moscow"),
        ("Calgary", "America/Edmonton"),
        ("Hawai’i", "Pacific/Honolulu"),
    ],
)
def test_a_typed_place_finds_its_zone(typed: str, zone: str) -> None:
    assert zones(typed)[0] == zone


def test_a_name_of_several_places_makes_one_ask() -> None:
    assert set(zones("Portland")) == {"America/New_York", "America/Los_Angeles"}
    assert zones("London") == ["Europe/London", "America/Toronto"]


def test_the_country_already_known_settles_it() -> None:
    assert zones("London", "CA") == ["America/Toronto"]
    assert zones("Lisbon", "FR") == ["Europe/Lisbon"]


@pytest.mark.parametrize("typed", ["", "xyzzyq", "Nics", ",", "????", "  "])
def test_nonsense_is_no_place(typed: str) -> None:
    assert zones(typed) == []


@given(st.text())
def test_no_text_breaks_the_search(text: str) -> None:
    find_place(CONTENT, text)
    find_country(text, "en")
    countries_named(CONTENT, text, "en")
    places_named(CONTENT, text, "US")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("UK", "GB"),
        ("u.k.", "GB"),
        ("England", "GB"),
        ("USA", "US"),
        ("America", "US"),
        ("Holland", "NL"),
        ("Deutschland", "DE"),
        ("Germny", "DE"),
        ("Österreich", "AT"),
        ("España", "ES"),
        ("Россия", "RU"),
        ("日本", "JP"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("fr", "FR"),
    ],
)
def test_a_country_is_found_by_any_of_its_names(typed: str, code: str) -> None:
    assert find_country(typed, "en") == [code]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("i live in england dear", ["GB"]),
        ("We are in the United States of America.", ["US"]),
        ("between France and Germany", ["FR", "DE"]),
        ("London", ["GB", "CA"]),
        ("i'm from the uk", ["GB"]),
        ("let us see", []),
        ("my legs hurt", []),
    ],
)
def test_a_country_within_a_sentence_or_of_a_city_can_be_asked_about(typed: str, codes: list[str]) -> None:
    assert find_country(typed, "en") == []
    assert countries_named(CONTENT, typed, "en") == codes


def test_a_place_within_a_sentence_can_be_asked_about() -> None:
    assert [match.zone for match in places_named(CONTENT, "i am in chicago", "US")] == ["America/Chicago"]
    assert places_named(CONTENT, "somewhere nice", "US") == []


def test_an_article_before_a_country_means_nothing() -> None:
    assert find_country("the UK", "en") == ["GB"]


def test_a_country_between_two_names_makes_one_ask() -> None:
    assert find_country("Austrlia", "en") == ["AU", "AT"]
    assert find_country("nowhere at all", "en") == []


def test_what_the_clock_shows_finds_the_zone() -> None:
    assert "Europe/Berlin" in zones_at_clock(CONTENT, None, NOW, time(21, 40))
    assert zones_at_clock(CONTENT, "US", NOW, time(15, 45)) == [
        "America/New_York",
        "America/Detroit",
        "America/Indiana/Indianapolis",
        "America/Kentucky/Louisville",
    ]
    assert zones_at_clock(CONTENT, "US", NOW, time(20, 40)) == ["Europe/London"]
    assert zones_at_clock(CONTENT, None, NOW, time(21, 15)) == []


@given(st.integers(0, 24 * 4))
def test_one_zone_is_offered_for_each_offset(quarters: int) -> None:
    now = NOW.replace(hour=quarters // 4 % 24, minute=quarters % 4 * 15)
    offered = zones_at_clock(CONTENT, None, now, time(12))
    offsets = [now.astimezone(ZoneInfo(zone)).utcoffset() for zone in offered]
    assert len(set(offsets)) == len(offsets)


def test_zones_and_countries_have_readable_names() -> None:
    assert zone_label("America/St_Johns", "en") == "St. John’s"
    assert zone_label("Atlantic/Azores", "de") == "Azoren"
    assert country_name("de", "en") == "Germany"
    assert country_name("XX", "en") == "XX"


def test_a_zone_belongs_to_a_country_also_by_its_old_name() -> None:
    assert country_of_zone("Europe/Lisbon") == "PT"
    assert country_of_zone("Asia/Calcutta") == "IN"
    assert country_of_zone("US/Pacific") == "US"
    assert country_of_zone("UTC") is None


def test_a_shared_location_has_a_zone() -> None:
    assert zones_from_location(52.5, 13.4) == ["Europe/Berlin"]
    assert zones_from_location(0, -30) == []  # at sea
    assert zones_from_location(999, 0) == []
    assert zones_from_location(43.8, 87.6) == ["Asia/Shanghai", "Asia/Urumqi"]  # two clocks: the bot asks
