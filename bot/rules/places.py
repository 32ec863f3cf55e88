"""Finds a patient's time zone and country from what people say: a country, a city, or what their clock shows.

Which zones a country has is read from the pinned tzdata package (`zone.tab`), newer than CLDR's copy; the
names of countries and cities in each language come from Babel.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from bot.rules.country_names import COMMON_NAMES, OWN_NAMES, REGIONS
from content.schema import Place

LIKENESS = 0.8  # of 1: a name must be at least so like what was typed
SHORT_WORD = 5  # letters; shorter words must be exact
NEARLY_BEST = 0.05  # names so much less like it than the best one are offered as well
LONGEST_NAME = 4  # words of a name looked for within a sentence
ABBREVIATED = ("uk", "usa", "uae", "nyc")  # short, and no words of a sentence
OLD_CITIES = ("Africa/", "America/", "Asia/", "Atlantic/", "Europe/", "Pacific/")
MOST_MATCHES = 6  # places offered at once
CLOCK_MINUTES = 10  # by which a clock on the wall may be wrong
SAMPLED_FROM = datetime(2030, 1, 1, tzinfo=UTC)  # past every announced change: the rules as they now stand
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "ı": "i", "œ": "oe", "ð": "d", "þ": "th"})

# Well-known zones, the first of each wall clock is offered.
WELL_KNOWN = (
    "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Istanbul", "Asia/Dubai", "Asia/Karachi",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Yangon", "Asia/Bangkok", "Asia/Shanghai",
    "Australia/Perth", "Australia/Eucla", "Asia/Tokyo", "Australia/Darwin", "Australia/Adelaide",
    "Australia/Brisbane", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Noumea", "Asia/Kamchatka",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Tongatapu", "Pacific/Kiritimati", "Asia/Tehran",
    "Asia/Kabul",
    "Africa/Lagos", "Africa/Cairo", "Africa/Johannesburg", "Africa/Nairobi", "Africa/Abidjan",
    "Atlantic/Azores",
    "Atlantic/Cape_Verde", "America/Noronha", "America/Nuuk", "America/Sao_Paulo", "America/St_Johns",
    "America/Halifax", "America/Caracas", "America/New_York", "America/Bogota", "America/Chicago",
    "America/Mexico_City", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
    "Pacific/Marquesas", "Pacific/Honolulu", "Pacific/Pago_Pago",
)  # fmt: skip


class WithPlaces(Protocol):
    """Content that has places: the choices of zone by country."""

    @property
    def places(self) -> Mapping[str, tuple[Place, ...]]:
        """Return the choices by ISO country."""


@dataclass(frozen=True)
class Match:
    """One zone that a typed place may mean; `likeness` is 1 for an exact name."""

    zone: str
    country: str | None
    label: str
    likeness: float


def zones_of(country: str) -> tuple[str, ...]:
    """Return one zone for each clock that a country keeps today, the most common first.

    Zones that differ only in the past count as one (Germany has Berlin and Busingen, Argentina twelve): what
    is planned for a patient lies ahead. They are compared over one year of the rules as they now stand.
    """
    kept: dict[tuple[timedelta | None, ...], str] = {}
    for zone in _zone_tab()[0].get(country.upper(), ()):
        kept.setdefault(_offsets(zone), zone)
    return tuple(kept.values())


def choices(content: WithPlaces, country: str) -> tuple[Place, ...]:
    """Return what to offer for a country: its own list, else one place for each clock; one is enough."""
    listed = content.places.get(country.upper(), ())
    return listed or tuple(Place(zone=zone, label=zone_label(zone, "en")) for zone in zones_of(country))


def find_place(content: WithPlaces, text: str, country: str | None = None, locale: str = "en") -> list[Match]:
    """Return the zones that a typed city or region may mean, best first; after several one must ask.

    Within `country`, when it has such a place; what follows a comma narrows: "Portland, Maine".
    """
    head, comma, tail = text[:100].partition(",")
    found = _matches(content, head, locale)
    if not found and not comma:  # "Houston TX"
        head, _, tail = head.strip().rpartition(" ")
        found = _matches(content, head, locale) if tail else []
        found = _within(content, found, tail, locale)
    elif tail.strip():
        found = _within(content, found, tail, locale) or found or _matches(content, tail, locale)
    at_home = [match for match in found if country is not None and match.country == country.upper()]
    return (at_home or found)[:MOST_MATCHES]


def zones_at_clock(content: WithPlaces, country: str | None, now: datetime, typed: time) -> list[str]:
    """Return the zones whose clocks show about `typed` at `now` (within ten minutes).

    The country's own when there are any, else one well-known zone for each offset from UTC.
    """
    own = choices(content, country) if country else ()
    fitting = [place.zone for place in own if _shows(place.zone, now, typed)]
    if fitting:
        return fitting
    by_offset: dict[timedelta | None, str] = {}
    for zone in WELL_KNOWN:
        if _shows(zone, now, typed):
            by_offset.setdefault(now.astimezone(ZoneInfo(zone)).utcoffset(), zone)
    return list(by_offset.values())


def zone_label(zone: str, locale: str) -> str:
    """Return a zone's city as the language writes it ("London"), not the IANA name."""
    try:
        city: str = get_timezone_location(zone, locale=Locale.parse(locale, sep="-"), return_city=True)
    except LookupError:
        return zone.rpartition("/")[2].replace("_", " ")
    return city


def country_name(code: str, locale: str) -> str:
    """Return a country's name in a language, or the code itself when there is none."""
    name: str = Locale.parse(locale, sep="-").territories.get(code.upper(), code)
    return name


def find_country(text: str, locale: str) -> list[str]:
    """Return the ISO codes of the countries a text may mean: exact names first, then typing errors."""
    wanted = _folded(text[:100])
    names = _country_names(locale)
    for name in (wanted, wanted.removeprefix("the ")):
        if name in names:
            return [names[name]]
    if len(wanted) == 2 and wanted.upper() in _zone_tab()[0]:
        return [wanted.upper()]
    return list(dict.fromkeys(names[name] for name, _ in _alike(wanted, names)))


def countries_named(content: WithPlaces, text: str, locale: str) -> list[str]:
    """Return the ISO codes of countries within a sentence, else of the city typed: to ask about alone."""
    names = _country_names(locale)
    within = [names[name] for name in _names_within(text, names)]
    places = within or [match.country for match in find_place(content, text) if match.country]
    return list(dict.fromkeys(places))[:MOST_MATCHES]


def places_named(content: WithPlaces, text: str, country: str | None, locale: str = "en") -> list[Match]:
    """Return the zones of the places that stand within a sentence, those of the country first: to ask."""
    named = _named_places(content, locale)
    found = _once([match for name in _names_within(text, named) for match in named[name]], 1.0)
    at_home = [match for match in found if country is not None and match.country == country.upper()]
    return (at_home or found)[:MOST_MATCHES]


def country_of_zone(zone: str) -> str | None:
    """Return the ISO code of the country a zone belongs to, or None for UTC and unknown names."""
    by_zone = _zone_tab()[1]
    return by_zone.get(zone) or by_zone.get(get_global("zone_aliases").get(zone, ""))


# --- reading ---


def _matches(content: WithPlaces, text: str, locale: str) -> list[Match]:
    wanted = _folded(text)
    named = _named_places(content, locale)
    if wanted in named:
        return _once(named[wanted], 1.0)
    alike = _alike(wanted, named)
    return [match for name, likeness in alike for match in _once(named[name], likeness)]


def _alike(wanted: str, names: Iterable[str]) -> list[tuple[str, float]]:
    """Return the names nearly like a word, best first; a short word must be exact and is not compared."""
    if len(wanted) < SHORT_WORD:
        return []
    long_names = [name for name in names if len(name) >= SHORT_WORD]
    scorer = DamerauLevenshtein.normalized_similarity
    found = process.extract(wanted, long_names, scorer=scorer, score_cutoff=LIKENESS, limit=MOST_MATCHES)
    return [(name, score) for name, score, _ in found if score >= found[0][1] - NEARLY_BEST]


def _names_within(text: str, names: Container[str]) -> list[str]:
    """Return the known names that stand in a text as words, the longest where one lies in another."""
    words = _folded(text[:100]).split()
    found: list[str] = []
    at = 0
    while at < len(words):
        spans = (" ".join(words[at : at + length]) for length in range(LONGEST_NAME, 0, -1))
        name = next(
            (one for one in spans if one in names and (len(one) >= SHORT_WORD or one in ABBREVIATED)), ""
        )
        found += [name] if name else []
        at += len(name.split()) or 1
    return found


def _once(matches: Iterable[Match], likeness: float) -> list[Match]:
    by_zone = {match.zone: match for match in reversed(list(matches))}
    ordered = list(by_zone.values())[::-1]
    return [Match(match.zone, match.country, match.label, likeness) for match in ordered]


def _within(content: WithPlaces, found: list[Match], tail: str, locale: str) -> list[Match]:
    """Keep what lies in the region or country typed behind a city."""
    region = REGIONS.get(_folded(tail), tail)
    zones = {match.zone for match in _matches(content, region, locale)}
    countries = find_country(tail, locale)
    return [match for match in found if match.zone in zones or match.country in countries]


def _named_places(content: WithPlaces, locale: str) -> dict[str, list[Match]]:
    """Return every name people may type for a zone: its city in two languages, its label and aliases."""
    named: defaultdict[str, list[Match]] = defaultdict(list)
    for name, matches in _zone_names(locale).items():
        named[name].extend(matches)
    for country, places in content.places.items():
        for place in places:
            match = Match(place.zone, country, place.label, 1.0)
            for name in (place.label, *place.aliases):
                named[_folded(name)].append(match)
    return named


@lru_cache(maxsize=16)
def _zone_names(locale: str) -> Mapping[str, tuple[Match, ...]]:
    named: defaultdict[str, list[Match]] = defaultdict(list)
    for zone, country in _zone_tab()[1].items():
        label = zone_label(zone, locale)
        match = Match(zone, country, label, 1.0)
        for name in {_folded(zone.rpartition("/")[2]), _folded(label), _folded(zone_label(zone, "en"))}:
            named[name].append(match)
    for old, zone in get_global("zone_aliases").items():
        country_code = _zone_tab()[1].get(zone)
        if country_code and old.startswith(OLD_CITIES):  # Kiev, Calcutta; not US/Central
            match = Match(zone, country_code, zone_label(zone, locale), 1.0)
            named[_folded(old.rpartition("/")[2])].append(match)
    return {name: tuple(matches) for name, matches in named.items()}


@lru_cache(maxsize=16)
def _country_names(locale: str) -> Mapping[str, str]:
    """Return folded names of countries: in the language, in English, in their own, and common ones."""
    names: dict[str, str] = {}
    for language in ("en", locale):
        territories = Locale.parse(language, sep="-").territories
        for code in _zone_tab()[0]:
            names.setdefault(_folded(territories.get(code, code)), code)
    for name, code in OWN_NAMES.items():
        names.setdefault(_folded(name), code)
    names.update(COMMON_NAMES)
    return names


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """Return a name without case, accents and marks: "São Paulo" is "sao paulo", "Saint" is "st"."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(LETTERS).replace("_", " "))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    plain = re.sub(r"[’'`.]", "", plain)
    return re.sub(r"\b(?:saint|sankt)\b", "st", " ".join(re.sub(r"[^\w]+", " ", plain).split()))


# --- zones ---


@lru_cache(maxsize=1)
def _zone_tab() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """Return the canonical zones by country and the country by zone, from the pinned tzdata."""
    by_country: defaultdict[str, list[str]] = defaultdict(list)
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            by_country[country].append(zone)
    by_zone = {zone: country for country, zones in by_country.items() for zone in zones}
    return {country: tuple(zones) for country, zones in by_country.items()}, by_zone


@lru_cache(maxsize=512)
def _offsets(zone: str) -> tuple[timedelta | None, ...]:
    """Return the offsets from UTC every third day of a year of the standing rules."""
    place = ZoneInfo(zone)
    return tuple(
        (SAMPLED_FROM + timedelta(days=day)).astimezone(place).utcoffset() for day in range(0, 366, 3)
    )


def _shows(zone: str, now: datetime, typed: time) -> bool:
    wall = now.astimezone(ZoneInfo(zone))
    apart = abs(wall.hour * 60 + wall.minute - typed.hour * 60 - typed.minute)
    return min(apart, 24 * 60 - apart) <= CLOCK_MINUTES


def is_zone(name: str) -> bool:
    """Return whether a name is a zone of the tz database."""
    return name in available_timezones()


def is_country(code: str) -> bool:
    """Return whether two letters are a country that has a zone."""
    return bool(zones_of(code))
