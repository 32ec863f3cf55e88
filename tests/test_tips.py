"""What is shown in the evening suits the person: gates, stand-ins and the choice of words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from bot.rules.tips import Circumstances, choose_pieces, fitting, fitting_tips, withheld_techniques
from content.loader import Content, load

CLOT = ["leg_swollen", "leg_hot", "leg_red", "leg_tender", "leg_pain_stays", "leg_bigger"]
FLUID = ["fluid_limit", "heart_failure", "kidney_disease", "liver_cirrhosis"]
ARTERIAL = ["hangs_leg_down", "foot_rest_pain", "foot_cold", "foot_pale", "foot_blue"]


@pytest.fixture(scope="module")
def content() -> Content:
    return load()


def about(
    flags: Mapping[str, bool] | None = None,
    signs: Collection[str] = (),
    helped: Collection[str] = (),
    withheld: Collection[str] = (),
) -> Circumstances:
    return Circumstances(flags or {}, frozenset(signs), frozenset(helped), frozenset(withheld))


def healthy(content: Content, *but: str) -> dict[str, bool]:
    return {flag: flag in but for flag in content.profile}


def part_texts(content: Content, at: Circumstances, part: str) -> set[str]:
    """Every piece that some evening would choose."""
    chosen = (choose_pieces(content, at, {}, str(night)) for night in range(200))
    return {piece for pieces in chosen for name, piece in pieces.items() if name == part}


def test_unknown_profile_gets_the_safest_wording(content: Content) -> None:
    at = about()
    assert {"elevation", "heat", "compression", "painkiller"} <= withheld_techniques(content, at)
    assert fitting(content, "calf_stretch", at) == "seated_stretch"
    assert fitting(content, "drink_to_thirst", at) == "drink_to_thirst"
    assert fitting(content, "raise_legs", at) == "position_flat"
    assert fitting(content, "painkillers", at) == "ask_pharmacist"
    assert fitting(content, "compression_stockings", at) == "artery_check"


def test_somebody_without_any_condition_gets_the_tips_themselves(content: Content) -> None:
    shown = fitting_tips(content, about(healthy(content)))
    assert [content.tips[name].number for name in shown] == list(range(1, 24))


@pytest.mark.parametrize("flag", FLUID)
def test_nobody_with_a_fluid_limit_is_told_to_drink_more(content: Content, flag: str) -> None:
    at = about({flag: True})
    assert fitting(content, "drink_to_thirst", at) == "fluid_team"
    pieces = part_texts(content, at, "drink")
    assert len(pieces) >= 4
    assert not any("drink_more" in content.pieces[piece].techniques for piece in pieces)


@pytest.mark.parametrize("sign", ARTERIAL)
def test_arterial_signs_stop_raising_heat_and_compression(content: Content, sign: str) -> None:
    withheld = withheld_techniques(content, about(healthy(content), signs=[sign]))
    assert {"elevation", "heat", "cold", "compression", "position", "walking"} <= withheld


def test_what_narrowed_arteries_forbid_a_leg_once_hung_down_forbids_too(content: Content) -> None:
    for technique, gate in content.gates.items():
        if "artery_disease" in gate.flags:
            assert "leg_hung_down" in gate.reported, technique
    at = about(healthy(content) | {"leg_hung_down": True})
    assert {"elevation", "heat", "cold", "compression", "position"} <= withheld_techniques(content, at)
    assert fitting(content, "sleeping_position", at) == "position_flat"


@pytest.mark.parametrize("sign", ["foot_sore", "leg_sore", "sore_infected"])
def test_with_a_sore_nobody_is_sent_walking(content: Content, sign: str) -> None:
    assert fitting(content, "gentle_exercise", about(healthy(content), signs=[sign])) == "speak_first"


def test_broken_skin_is_not_sent_walking_either(content: Content) -> None:
    at = about(healthy(content) | {"skin_broken": True})
    assert fitting(content, "gentle_exercise", at) == "speak_first"


def test_a_leg_that_feels_numb_is_neither_heated_cooled_rubbed_nor_squeezed(content: Content) -> None:
    withheld = withheld_techniques(content, about(healthy(content), signs=["leg_numb"]))
    assert {"heat", "cold", "massage", "compression"} <= withheld


def test_a_back_that_has_just_given_way_is_not_stretched(content: Content) -> None:
    at = about(healthy(content), signs=["sudden_back_pain"])
    assert fitting(content, "calf_stretch", at) == "ankle_pumps"


def test_hanging_the_leg_down_helped_counts_as_arterial(content: Content) -> None:
    at = about(healthy(content), helped=["hanging_down"])
    assert {"elevation", "heat", "compression"} <= withheld_techniques(content, at)
    assert fitting(content, "raise_legs", at) == "position_flat"


@pytest.mark.parametrize("sign", CLOT)
def test_a_suspected_clot_is_left_alone_and_nothing_stands_in(content: Content, sign: str) -> None:
    at = about(healthy(content), signs=[sign])
    assert {"stretch", "massage", "heat"} <= withheld_techniques(content, at)
    assert fitting(content, "calf_stretch", at) is None
    assert fitting(content, "seated_stretch", at) is None
    assert fitting(content, "warmth", at) is None
    assert "stretch" not in choose_pieces(content, at, {}, "seed")


@pytest.mark.parametrize("row", ["U1", "U2", "U17", "E1", "E2", "E27"])
def test_an_open_escalation_over_a_clot_outlasts_the_sign(content: Content, row: str) -> None:
    at = about(healthy(content), withheld=content.red_flags[row].withholds)
    assert fitting(content, "calf_stretch", at) is None
    assert "stretch" not in choose_pieces(content, at, {}, "seed")


def test_a_recent_injury_leaves_ankle_pumps(content: Content) -> None:
    at = about(healthy(content, "recent_leg_injury_or_surgery"))
    assert fitting(content, "calf_stretch", at) == "ankle_pumps"
    assert part_texts(content, at, "stretch")
    assert all(content.pieces[piece].tip == "ankle_pumps" for piece in part_texts(content, at, "stretch"))


def test_poor_balance_gets_only_seated_stretches(content: Content) -> None:
    at = about(healthy(content, "falls_or_balance"))
    assert fitting(content, "calf_stretch", at) == "seated_stretch"
    for piece in part_texts(content, at, "stretch"):
        assert "floor_exercise" not in content.pieces[piece].techniques


def test_electrolytes_and_supplements_are_never_suggested(content: Content) -> None:
    assert {"electrolytes", "supplements"} <= withheld_techniques(content, about(healthy(content)))


def test_a_stand_in_is_shown_once_and_never_uncalled_for(content: Content) -> None:
    shown = fitting_tips(content, about())
    assert len(shown) == len(set(shown))
    assert "fluid_team" not in shown
    assert "fluid_team" not in {content.pieces[piece].tip for piece in part_texts(content, about(), "drink")}


def test_no_tip_shown_holds_a_withheld_technique(content: Content) -> None:
    profiles = [about(), about(healthy(content)), *(about({flag: True}) for flag in content.profile)]
    profiles += [about(healthy(content), signs=[sign]) for sign in content.signs]
    for at in profiles:
        withheld = withheld_techniques(content, at)
        for name in fitting_tips(content, at):
            assert withheld.isdisjoint(content.tips[name].techniques), (at, name)
        for piece in choose_pieces(content, at, {}, "seed").values():
            assert withheld.isdisjoint(content.pieces[piece].techniques), (at, piece)


def test_a_chain_of_stand_ins_ends(content: Content) -> None:
    circular = content.gates["stretch"].model_copy(update={"replace_with": "calf_stretch"})
    gates = {**content.gates, "stretch": circular}
    at = about(withheld=["stretch"])
    assert fitting(replace(content, gates=gates), "calf_stretch", at) is None


def test_the_choice_depends_on_the_seed_alone(content: Content) -> None:
    at = about(healthy(content))
    assert choose_pieces(content, at, {}, "a") == choose_pieces(content, at, {}, "a")
    assert len({tuple(choose_pieces(content, at, {}, str(seed)).values()) for seed in range(20)}) > 10


@pytest.mark.parametrize("flags", [{}, {"fluid_limit": True, "recent_leg_injury_or_surgery": True}, None])
def test_no_text_comes_twice_within_the_set_nights(
    content: Content, flags: Mapping[str, bool] | None
) -> None:
    at = about(healthy(content) if flags is None else flags)
    last: dict[str, int] = {}
    for night in range(60):
        shown = {piece: night - at_night for piece, at_night in last.items()}
        chosen = choose_pieces(content, at, shown, f"patient/{night}")
        assert set(chosen) == {"drink", "stretch", "wind_down"}
        for piece in chosen.values():
            assert shown.get(piece, 99) > content.timing.no_repeat_nights
            last[piece] = night


def test_when_all_were_shown_lately_the_longest_ago_comes(content: Content) -> None:
    at = about({"fluid_limit": True})
    pieces = sorted(part_texts(content, at, "drink"))
    shown = dict.fromkeys(pieces, 1) | {pieces[0]: 5}
    assert choose_pieces(content, at, shown, "seed")["drink"] == pieces[0]
