"""Each number of a pattern stands on its edge: a diary that just meets it, and one that just does not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.rules.patterns import Medicine, Person, judge_diary
from bot.rules.windows import Night
from tests.replays import content

Told = dict[str, Any]
Runs = list[tuple[int, Told | None]]  # so many nights like that; None: not filled in

START = date(2026, 3, 1)
GAP: Told | None = None


def pain(score: int, **more: Any) -> Told:
    return {"pain": score, **more}


def sign(*signs: str, **more: Any) -> Told:
    return {"pain": 3, "signs": dict.fromkeys(signs, "yes"), **more}


def feel(*feeling: str, **more: Any) -> Told:
    return {"pain": 3, "feeling": frozenset(feeling), **more}


def helped(*what: str, **more: Any) -> Told:
    return {"pain": 3, "helped": frozenset(what), **more}


def week(told: Told, times: int, rest: Told) -> Runs:
    """Seven nights, the first so many like that."""
    return [(times, told), (7 - times, rest)]


def halved(count: int, told: Told, score: int, less: int = 0) -> Runs:
    """So many nights with a score, then six whose median is half a point lower, and `less` besides."""
    above, below = {**told, "pain": score - less}, {**told, "pain": score - less - 1}
    return [(count, {**told, "pain": score}), (1, GAP), (3, above), (3, below)]


QUIET = pain(0)
MILD = pain(2)
AWAKE = pain(2, awake="to_60")
CRAMP = feel("cramp")
RLS = feel("urge", helped=frozenset({"moving"}))
WEIGHS = feel("urge", helped=frozenset({"moving"}), distress=2)
BOTHERS = feel("urge", helped=frozenset({"moving"}), distress=1)
CARED = pain(5, did=frozenset({"stretch"}))
NOT_CARED = pain(5)
TOOK = pain(3, painkiller=True)
SHOOTS = feel("shooting")
TWICE: Runs = [(5, pain(3)), (2, SHOOTS)]
LEFT, BOTH = pain(3, side="left"), pain(3, side="both")
SWOLLEN = sign("leg_swollen", side="left")
SORE, HUNG = sign("leg_sore"), helped("hanging_down")

# rule, what is on the edge, the diary that meets it, the one that does not
EDGES: list[tuple[str, str, Runs, Runs]] = [
    ("P2", "over 10 minutes", [(1, pain(3, longest_minutes=10.5))], [(1, pain(3, longest_minutes=10))]),
    (
        "P2",
        "this night",
        [(1, QUIET), (1, sign("cramp_over_10_minutes"))],
        [(1, sign("cramp_over_10_minutes")), (1, QUIET)],
    ),
    ("P12", "two weeks", [(14, BOTH), (1, SWOLLEN)], [(13, BOTH), (1, SWOLLEN)]),
    (
        "P12",
        "4 of the nights before",
        [(1, BOTH), (10, GAP), (3, BOTH), (1, SWOLLEN)],
        [(1, BOTH), (11, GAP), (2, BOTH), (1, SWOLLEN)],
    ),
    ("P12", "only both before", [(14, BOTH), (1, SWOLLEN)], [(13, BOTH), (1, LEFT), (1, SWOLLEN)]),
    ("P12", "one leg long ago", [(1, LEFT), (14, BOTH), (1, SWOLLEN)], [(1, LEFT), (13, BOTH), (1, SWOLLEN)]),
    (
        "P12b",
        "2 nights of one leg",
        [(2, LEFT), (1, {**SHOOTS, "side": "both"})],
        [(1, LEFT), (1, {**SHOOTS, "side": "both"})],
    ),
    (
        "P12b",
        "in the last 14",
        [(2, LEFT), (12, GAP), (1, {**SHOOTS, "side": "both"})],
        [(2, LEFT), (13, GAP), (1, {**SHOOTS, "side": "both"})],
    ),
    (
        "P12b",
        "with the back",
        [(2, LEFT), (1, sign("back_pain", side="both"))],
        [(2, LEFT), (1, sign("leg_numb", side="both"))],
    ),
    ("P13", "twice in 14", [(1, HUNG), (12, QUIET), (1, HUNG)], [(1, HUNG), (13, QUIET), (1, HUNG)]),
    (
        "P13",
        "a cold foot within 14",
        [(1, HUNG), (12, QUIET), (1, sign("foot_cold"))],
        [(1, HUNG), (13, QUIET), (1, sign("foot_cold"))],
    ),
    (
        "P13",
        "hung within 14 of it",
        [(1, sign("foot_cold")), (12, QUIET), (1, HUNG)],
        [(1, sign("foot_cold")), (13, QUIET), (1, HUNG)],
    ),
    ("P7", "7 or more", [(3, pain(7)), (4, QUIET)], [(2, pain(7)), (1, pain(6)), (4, QUIET)]),
    ("P7", "3 of 7", [(1, pain(7)), (4, QUIET), (2, pain(7))], [(1, pain(7)), (5, QUIET), (2, pain(7))]),
    ("P8", "2 points", [(7, pain(7)), (7, pain(9))], [(7, pain(7)), (7, pain(8))]),
    (
        "P8",
        "the share",
        [(7, pain(5)), (3, pain(6)), (3, pain(7)), (1, GAP)],
        [(7, pain(6)), (3, pain(7)), (3, pain(8)), (1, GAP)],
    ),
    (
        "P8",
        "5 nights logged each",
        [(5, pain(7)), (2, GAP), (5, pain(9)), (2, GAP)],
        [(4, pain(7)), (3, GAP), (5, pain(9)), (2, GAP)],
    ),
    (
        "P8",
        "5 nights logged now",
        [(5, pain(4)), (2, GAP), (5, pain(6)), (2, GAP)],
        [(5, pain(4)), (2, GAP), (4, pain(6)), (3, GAP)],
    ),
    (
        "P8",
        "3 nights well above",
        [(7, pain(7)), (2, pain(7)), (3, pain(9)), (2, GAP)],
        [(7, pain(7)), (2, pain(9)), (5, pain(7))],
    ),
    (
        "P8b",
        "3 more",
        [*week(MILD, 1, QUIET), *week(MILD, 4, QUIET), *week(MILD, 4, QUIET)],
        [*week(MILD, 1, QUIET), *week(MILD, 4, QUIET), *week(MILD, 3, QUIET)],
    ),
    (
        "P8b",
        "two weeks",
        [*week(MILD, 0, QUIET), *week(MILD, 3, QUIET), *week(MILD, 3, QUIET)],
        [*week(MILD, 0, QUIET), *week(MILD, 2, QUIET), *week(MILD, 3, QUIET)],
    ),
    (
        "P8b",
        "5 logged before",
        [(2, GAP), (5, QUIET), (14, MILD)],
        [(1, QUIET), (2, GAP), (3, QUIET), (1, GAP), (14, MILD)],
    ),
    (
        "P14",
        "3 of 7",
        [(1, feel("burning")), (4, QUIET), (2, feel("burning"))],
        [(1, feel("burning")), (5, QUIET), (2, feel("burning"))],
    ),
    (
        "P14",
        "new",
        [(1, feel("burning")), (10, QUIET), (3, feel("burning"))],
        [(1, feel("burning")), (11, QUIET), (3, feel("burning"))],
    ),
    (
        "P17",
        "2 of 7",
        [(1, sign("both_legs_swollen")), (5, QUIET), (1, sign("both_legs_swollen"))],
        [(1, sign("both_legs_swollen")), (6, QUIET), (1, sign("both_legs_swollen"))],
    ),
    (
        "P17",
        "new",
        [(1, sign("both_legs_swollen")), (11, QUIET), (2, sign("both_legs_swollen"))],
        [(1, sign("both_legs_swollen")), (12, QUIET), (2, sign("both_legs_swollen"))],
    ),
    ("P18", "14 days", [(1, SORE), (13, QUIET), (1, SORE)], [(1, SORE), (12, QUIET), (1, SORE)]),
    ("P18", "within 60", [(1, SORE), (58, QUIET), (1, SORE)], [(1, SORE), (59, QUIET), (1, SORE)]),
    ("P18", "fresh", [(15, SORE), (6, QUIET)], [(15, SORE), (7, QUIET)]),
    (
        "R6_nights",
        "4 of 7",
        [(1, feel("joint")), (3, QUIET), (3, feel("joint"))],
        [(1, feel("joint")), (4, QUIET), (3, feel("joint"))],
    ),
    (
        "P3",
        "3 nights, two weeks",
        [*week(AWAKE, 3, MILD), *week(AWAKE, 3, MILD)],
        [*week(AWAKE, 2, MILD), *week(AWAKE, 3, MILD)],
    ),
    (
        "P3",
        "each week",
        [*week(AWAKE, 3, MILD), (4, MILD), (3, AWAKE)],
        [*week(AWAKE, 3, MILD), (5, MILD), (2, AWAKE)],
    ),
    ("P4", "four weeks", 4 * week(AWAKE, 3, MILD), [*week(AWAKE, 2, MILD), *(3 * week(AWAKE, 3, MILD))]),
    (
        "P5",
        "3 days a lot",
        [(1, pain(2, tired="lot")), (4, QUIET), (2, pain(2, tired="lot"))],
        [(1, pain(2, tired="lot")), (5, QUIET), (2, pain(2, tired="lot"))],
    ),
    ("P6", "8 of 28", [(1, RLS), (20, QUIET), (7, RLS)], [(1, RLS), (21, QUIET), (7, RLS)]),
    (
        "P6b",
        "3 nights, two weeks",
        2 * week(WEIGHS, 3, QUIET),
        [*week(WEIGHS, 3, QUIET), *week(WEIGHS, 2, QUIET)],
    ),
    ("P6b", "moderate", 2 * week(WEIGHS, 3, QUIET), 2 * week(BOTHERS, 7, QUIET)),
    ("P9", "70 % of nights", [(28 - 8, CARED), (8, NOT_CARED)], [(28 - 9, CARED), (9, NOT_CARED)]),
    ("P9", "4 weeks", [(28, CARED)], [(27, CARED)]),
    (
        "P9",
        "under 1 point",
        [(21, {**CARED, "pain": 8}), (4, {**CARED, "pain": 8}), (2, {**CARED, "pain": 7}), (1, CARED)],
        [(21, {**CARED, "pain": 8}), (7, {**CARED, "pain": 7})],
    ),
    ("P10", "6 weeks", [(42, CARED)], [(41, CARED)]),
    (
        "P10",
        "under 2 points",
        [(35, {**CARED, "pain": 8}), (7, {**CARED, "pain": 7})],
        [(35, {**CARED, "pain": 8}), (7, {**CARED, "pain": 6})],
    ),
    ("P15", "four weeks", 4 * week(CRAMP, 3, QUIET), [*week(CRAMP, 2, QUIET), *(3 * week(CRAMP, 3, QUIET))]),
    ("P19", "3 days, two weeks", 2 * week(TOOK, 3, QUIET), [*week(TOOK, 2, QUIET), *week(TOOK, 3, QUIET)]),
    ("P20", "3 or more", [(1, pain(2, mood=3))], [(1, pain(2, mood=2))]),
    ("P20", "within 14", [(1, pain(2, mood=3)), (13, QUIET)], [(1, pain(2, mood=3)), (14, QUIET)]),
    ("P21", "four weeks", [(28, SHOOTS)], [(27, SHOOTS)]),
    (
        "P21",
        "2 nights a week",
        4 * TWICE,
        [*(3 * TWICE), (6, pain(3)), (1, SHOOTS)],
    ),
    ("P7b", "8 or more", [(1, pain(8))], [(1, pain(7))]),
    ("P11", "not named before", [(1, pain(3, side="right")), (1, LEFT)], [(1, BOTH), (1, LEFT)]),
    ("P13b", "this night", [(1, QUIET), (1, HUNG)], [(1, HUNG), (1, QUIET)]),
    ("P22", "2 points, two weeks", [(7, pain(8)), (14, pain(6))], [(7, pain(8)), (7, pain(7)), (7, pain(6))]),
    ("P22", "30 %", [(7, pain(3)), (14, pain(2))], [(7, pain(4)), (14, pain(3))]),
    (
        "P22",
        "5 nights logged each week",
        [(7, pain(8)), (5, pain(6)), (2, GAP), (5, pain(6)), (2, GAP)],
        [(7, pain(8)), (5, pain(6)), (2, GAP), (4, pain(6)), (3, GAP)],
    ),
    ("P23", "4 weeks", [(28, QUIET)], [(27, QUIET)]),
    ("P23", "no night with trouble", [(1, MILD), (28, QUIET)], [(1, MILD), (27, QUIET)]),
    ("P23", "14 nights logged", [(13, QUIET), (14, GAP), (1, QUIET)], [(12, QUIET), (15, GAP), (1, QUIET)]),
    ("P24", "12 weeks", [(28, CARED), (56, MILD)], [(28, CARED), (55, MILD)]),
    (
        "P24",
        "2 nights in each of two weeks",
        [(28, CARED), (42, QUIET), (2, MILD), (10, QUIET), (2, MILD)],
        [(28, CARED), (42, QUIET), (2, MILD), (11, QUIET), (1, MILD)],
    ),
    (
        "P6b",
        "the week before too",
        2 * week(WEIGHS, 3, QUIET),
        [*week(WEIGHS, 2, QUIET), *week(WEIGHS, 3, QUIET)],
    ),
    ("P9", "14 nights logged", [(7, CARED), (14, GAP), (7, CARED)], [(7, CARED), (15, GAP), (6, CARED)]),
    ("P9", "5 nights logged now", [(21, CARED), (2, GAP), (5, CARED)], [(21, CARED), (3, GAP), (4, CARED)]),
    ("P9", "under 15 %", halved(21, CARED, 4), halved(21, CARED, 3)),
    ("P10", "70 % of nights", [(30, CARED), (12, NOT_CARED)], [(29, CARED), (13, NOT_CARED)]),
    ("P10", "21 nights logged", [(7, CARED), (21, GAP), (14, CARED)], [(7, CARED), (22, GAP), (13, CARED)]),
    ("P10", "under 30 %", halved(35, CARED, 6, 1), halved(35, CARED, 5, 1)),
    (
        "P21",
        "under 1 point",
        [(28, {**SHOOTS, "pain": 8})],
        [(21, {**SHOOTS, "pain": 8}), (7, {**SHOOTS, "pain": 7})],
    ),
    ("P21", "under 15 %", halved(21, SHOOTS, 4), halved(21, SHOOTS, 3)),
    ("P21", "the first week too", [(28, SHOOTS)], [(7, pain(3)), (21, SHOOTS)]),
    ("P22", "30 %, two weeks", [(7, pain(3)), (14, pain(2))], [(14, pain(3)), (7, pain(2))]),
    (
        "P22",
        "30 %, 5 nights logged",
        [(7, pain(3)), (5, pain(2)), (2, GAP), (5, pain(2)), (2, GAP)],
        [(7, pain(3)), (5, pain(2)), (2, GAP), (4, pain(2)), (3, GAP)],
    ),
    (
        "P24",
        "the week before too",
        [(28, CARED), (42, QUIET), (2, MILD), (10, QUIET), (2, MILD)],
        [(28, CARED), (42, QUIET), (1, MILD), (11, QUIET), (2, MILD)],
    ),
]


def met(runs: Runs, person: Person | None = None) -> set[str]:
    """Return the patterns met on the last night of a diary."""
    told = [night for count, night in runs for _ in range(count)]
    nights = [
        Night(on=START + timedelta(days=day), **night) for day, night in enumerate(told) if night is not None
    ]
    on = START + timedelta(days=len(told) - 1)
    return {found.rule for found in judge_diary(content(), nights, on, person or Person())}


@pytest.mark.parametrize(("rule", "edge", "fires", "quiet"), EDGES)
def test_a_pattern_holds_on_its_edge_and_not_beyond(rule: str, edge: str, fires: Runs, quiet: Runs) -> None:
    assert rule in met(fires), edge
    assert rule not in met(quiet), edge


@pytest.mark.parametrize(
    ("rule", "flag", "night"),
    [
        ("P18b", "diabetes", sign("foot_sore")),
        ("P18b", "artery_disease", sign("sore_unhealed")),
        ("S8_nights", "pregnant_or_postnatal", CRAMP),
        ("S10_nights", "heavy_alcohol", CRAMP),
    ],
)
def test_a_pattern_of_some_people_is_for_them_alone(rule: str, flag: str, night: Told) -> None:
    assert rule in met([(3, night)], Person(flags={flag: True}))
    assert rule not in met([(3, night)], Person(flags={flag: False}))
    assert rule == "P18b" or rule not in met([(2, night)], Person(flags={flag: True}))
    assert rule not in met([(3, night)])


@pytest.mark.parametrize("flag", ["diabetes", "artery_disease"])
def test_a_sore_on_the_leg_that_lasts_is_urgent_with_diabetes_or_poor_arteries(flag: str) -> None:
    person = Person(flags={flag: True})
    assert "P18b" in met([(1, SORE), (13, QUIET), (1, SORE)], person)
    assert "P18b" not in met([(1, SORE), (12, QUIET), (1, SORE)], person)
    assert "P18b" in met([(15, SORE), (6, QUIET)], person)
    assert "P18b" not in met([(15, SORE), (7, QUIET)], person)


def test_in_pregnancy_restless_nights_count_when_they_cost_sleep() -> None:
    person = Person(flags={"pregnant_or_postnatal": True})
    awake = feel("urge", awake="under_30")
    assert "S8_nights" in met([(1, awake), (5, QUIET), (1, awake)], person)
    assert "S8_nights" not in met([(1, awake), (6, QUIET), (1, awake)], person)
    assert "S8_nights" not in met([(7, feel("urge", awake="no"))], person)
    assert "S8_nights" not in met([(2, CRAMP), (5, QUIET)], person)


def test_known_numb_feet_are_not_new_numbness() -> None:
    nights: Runs = [(3, feel("burning"))]
    assert "P14" in met(nights)
    assert "P14" not in met(nights, Person(flags={"numb_feet": True}))


@pytest.mark.parametrize(("days", "counts"), [(0, True), (56, True), (57, False), (-1, False)])
def test_a_medicine_counts_for_eight_weeks(days: int, counts: bool) -> None:
    person = Person(medicines=(Medicine("new", START - timedelta(days=days)),))
    assert ("P16" in met([(1, CRAMP)], person)) is counts


def test_a_cramp_after_a_medicine_is_news_for_a_week() -> None:
    person = Person(medicines=(Medicine("new", START),))
    assert "P16" in met([(1, CRAMP), (6, QUIET)], person)
    assert "P16" not in met([(1, CRAMP), (7, QUIET)], person)


def test_cramps_a_quarter_fewer_are_some_help() -> None:
    before = {**CARED, "cramps": 4}
    assert {"P9", "P10"} <= met([(35, before), (6, before), (1, {**before, "cramps": 1})])
    assert "P9" in met([(35, {**CARED, "cramps": 5}), (7, before)]), "a fifth fewer"
    fewer = met([(35, before), (7, {**before, "cramps": 3})])
    assert fewer.isdisjoint({"P9", "P10"})
