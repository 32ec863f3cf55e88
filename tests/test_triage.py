"""Each emergency and urgent row: what raises it, what nearly does, and which of several speaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Facts, Finding
from bot.rules.triage import (
    closed_over,
    finding_for,
    holds,
    in_doubt,
    judge,
    outranks,
    withheld,
)
from content.loader import Content, load
from content.schema import Condition, Level

# row: what raises it | what nearly does. A bare word is a sign, `?` before it: not sure.
TABLE = """
E1: breathless | chest_pain chest_muscle_known
E1: chest_pain | breathless_effort
E1: breathless_flat | very_unwell
E2: leg_swollen chest_pain | leg_swollen
E2: leg_tender breathless_effort | both_legs_swollen breathless_effort
E2: skin_infected confused | confused
E3: foot_cold | foot_cold feet_cold_usual
E3: foot_blue | foot_sore
E3: leg_cannot_move | leg_weak
E4: saddle_numb | leg_numb
E5: bladder_bowel | no_urine
E6: both_legs_weak | slow_weakness
E6: both_legs_pain_spread | both_legs_swollen
E7: flag:cancer_now_or_past unsteady_walking | unsteady_walking
E7: flag:cancer_now_or_past leg_weak | flag:cancer_now_or_past back_pain
E8: very_unwell shivering | very_unwell
E8: fever no_urine | no_urine
E8: confused | dizzy
E8: feels_dying | fever
E9: skin_infected fever | skin_infected
E10: wound_blackening | foot_sore
E10: pain_beyond_looks | wound
E11: joint_hot fever | joint_hot joint_cannot_move
E11: joint_hot flag:joint_replacement | fever flag:joint_replacement
E12: injury leg_tight | injury leg_numb
E12: hard_exercise pain_moving_toes | hard_exercise
E12: tight_cast leg_numb | tight_cast
E13: sudden_overwhelming_pain | severe_pain pain:10
E14: severe_muscle_pain dark_urine | dark_urine
E14: pain:8 dark_urine | pain:6 dark_urine
E15: fall cannot_stand | cannot_stand
E15: leg_deformed | injury cannot_walk
E16: face_droop | leg_weak
E16: arm_weak | leg_numb
E17: flag:diabetes foot_sore fever | foot_sore fever
E17: flag:diabetes foot_sore foot_cold | flag:diabetes foot_sore
E18: black_skin | foot_discoloured
E19: cramps_all_day racing_heart | cramps_all_day
E19: feeling:cramp fainted | feeling:ache fainted
E19: fit | twitching
E20: vein_bleeding | vein_bled
E21: tearing_pain | sudden_back_pain
E22: jaw_stiff dirty_wound | jaw_stiff
E22: jaw_stiff swallowing_trouble | dirty_wound
E23: suicidal | hopeless
E23: cannot_keep_safe | very_low_mood
E24: overdose | extra_dose
E24: extra_dose drowsy | new_medicine
E25: rash_blisters | new_medicine
E25: allergic_swelling | face_hands_swollen
E26: hit_head | fall
E27: flag:pregnant_or_postnatal breathless | flag:pregnant_or_postnatal leg_swollen
E28: black_stool dizzy | black_stool
E29: thirst_urine vomiting | thirst_urine
U1: leg_swollen | leg_swollen ankle_twist
U1: leg_red | leg_swollen clot_leg_unchanged
U1: leg_bigger clot_leg_unchanged | leg_pain_stays
U1: ?leg_tender | both_legs_swollen
U2: leg_pain_stays flag:oestrogen | leg_pain_stays
U2: leg_pain_stays flag:past_clot | flag:past_clot feeling:cramp
U3: foot_rest_pain | hangs_leg_down
U3: hangs_leg_down foot_sore | helped:hanging_down
U3: helped:hanging_down leg_sore | leg_sore
U4: foot_sore leg_numb | foot_sore
U4: sore_unhealed flag:artery_disease | sore_unhealed
U5: flag:diabetes foot_hot_swollen | foot_sore
U5: flag:diabetes sore_unhealed | flag:diabetes leg_sore
U6: leg_weak | slow_weakness
U7: numbness_spreading | numb_new_lasting
U8: skin_infected | fever
U9: joint_hot | joint_pain_lasting
U10: back_pain fever | back_pain
U10: leg_back_pain_new injected_drugs | back_pain recent_infection
U11: cancer_spine_pain | night_bone_pain
U11: flag:cancer_now_or_past night_bone_pain | flag:cancer_now_or_past leg_back_pain_new
U12: flag:statin muscle_pain_all_day | flag:statin feeling:cramp
U13: cramp_over_10_minutes | feeling:cramp
U13: toxin_contact | wound
U14: cramps_elsewhere | twitching
U14: fluid_loss no_urine | fluid_loss
U15: vein_inflamed | varicose_veins
U16: vein_bled | varicose_veins
U17: flag:pregnant_or_postnatal leg_pain_stays | flag:pregnant_or_postnatal feeling:cramp
U18: bruising | new_medicine
U19: both_legs_swollen | face_hands_swollen
U19: breathless_effort | tired_days
U20: pain:8 pain_not_easing | pain:7 pain_not_easing
U20: severe_pain pain_not_easing | severe_pain
U21: injury cannot_walk | cannot_walk
U22: hopeless | very_low_mood
U23: jaundice | dark_urine
U24: flag:pregnant_or_postnatal bad_headache | bad_headache
U25: extra_dose | new_medicine
U26: stiff_mornings vision_change | stiff_mornings
U27: flag:clot_treated leg_bigger | flag:clot_treated leg_swollen
S1: night_bone_pain | flag:age_20_plus night_bone_pain
S1: flag:age_20_plus flag:age_51_plus night_bone_pain | night_sweats
S4: sore_unhealed | leg_sore
S7: new_medicine | frequent_cramps
S17: stiff_mornings | flag:age_20_plus stiff_mornings
S14: flag:dopamine_medicine urges_gambling | urges_gambling
R1: cramps_disturb_sleep | feeling:cramp
"""
ROWS = [
    tuple(part.strip() for part in line.replace(":", "|", 1).split("|"))
    for line in TABLE.strip().splitlines()
]


@pytest.fixture(scope="module")
def content() -> Content:
    return load()


def facts(words: str) -> Facts:
    """`leg_weak ?fever flag:diabetes pain:8 side:left` as facts."""
    made = Facts()
    for word in words.split():
        kind, _, code = word.rpartition(":")
        if kind == "flag":
            made = replace(made, flags={**made.flags, code: True})
        elif kind in ("feeling", "helped"):
            made = replace(made, **{kind: getattr(made, kind) | {code}})
        elif kind in ("pain", "side"):
            made = replace(made, pain=int(code)) if kind == "pain" else replace(made, side=code)
        else:
            made = replace(made, signs={**made.signs, code.lstrip("?"): "unsure" if "?" in code else "yes"})
    return made


def raised(content: Content, words: str) -> list[str]:
    return [finding.rule for finding in judge(content, facts(words))]


def only(content: Content, words: str) -> Finding:
    (finding,) = judge(content, facts(words))
    return finding


@pytest.mark.parametrize(("rule", "enough", "nearly"), ROWS)
def test_what_raises_a_row_and_what_nearly_does(
    content: Content, rule: str, enough: str, nearly: str
) -> None:
    for words in (enough, nearly):
        told = facts(words)
        assert {*told.signs} <= {*content.signs}
        assert {*told.flags} <= {*content.profile}
    assert rule in raised(content, enough)
    almost = facts(nearly)
    known = replace(almost, signs=closed_over(content.signs, almost.signs))
    assert not holds(content.red_flags[rule].when, known, unsure=True)


def test_every_grave_row_is_in_the_table(content: Content) -> None:
    grave = {rule for rule, red_flag in content.red_flags.items() if red_flag.level >= Level.URGENT}
    assert grave <= {rule for rule, _, _ in ROWS}
    assert {f"E{number}" for number in range(1, 28)} | {f"U{number}" for number in range(1, 25)} <= grave


def test_every_grave_row_is_raised_by_doubt_too(content: Content) -> None:
    for rule, enough, _ in ROWS:
        doubted = " ".join(
            word if ":" in word or word.startswith("?") else f"?{word}" for word in enough.split()
        )
        level = content.red_flags[rule].level
        if level >= Level.URGENT and "?" in doubted and rule != "U1":
            assert (rule, level) in [(one.rule, one.level) for one in judge(content, facts(doubted))]


def test_not_sure_drops_lower_rows_by_one_level(content: Content) -> None:
    assert [(one.rule, one.level) for one in judge(content, facts("?leg_lump"))] == [("S15", Level.ROUTINE)]
    assert raised(content, "?tired_days") == []


def test_what_is_not_sure_excuses_nothing(content: Content) -> None:
    assert raised(content, "chest_pain ?chest_muscle_known") == ["E1"]
    assert raised(content, "leg_swollen ?ankle_twist") == ["U1"]


@pytest.mark.parametrize(
    "leg", ["leg_swollen", "leg_hot", "leg_pain_stays", "vein_inflamed", "joint_hot", "leg_weak"]
)
@pytest.mark.parametrize("body", ["breathless", "chest_pain", "fainted", "confused"])
def test_an_urgent_leg_with_breath_chest_collapse_or_confusion_is_an_emergency(
    content: Content, leg: str, body: str
) -> None:
    first = judge(content, facts(f"{leg} {body}"))[0]
    assert (first.rule, first.level) == ("E2", Level.EMERGENCY)


def test_of_one_topic_only_the_highest_speaks(content: Content) -> None:
    assert raised(content, "leg_swollen breathless flag:pregnant_or_postnatal") == ["E2", "U17"]
    assert raised(content, "saddle_numb both_legs_weak leg_weak") == ["E4"]
    assert raised(content, "cramps_elsewhere racing_heart") == ["E1", "E19"]


def test_the_highest_level_comes_first(content: Content) -> None:
    found = judge(content, facts("frequent_cramps leg_lump jaundice tearing_pain"))
    assert [one.rule for one in found] == ["E21", "U23", "S15", "R1"]
    assert outranks(found[0], found[1])
    assert not outranks(found[0], found[0])


def test_the_evidence_is_what_was_told(content: Content) -> None:
    assert only(content, "flag:statin muscle_pain_all_day").evidence == (
        "flag:statin",
        "sign:muscle_pain_all_day",
    )
    assert only(content, "pain:8 severe_pain pain_not_easing side:left") == Finding(
        "U20", Level.URGENT, "severe_pain", "left", ("sign:pain_not_easing", "pain:8", "sign:severe_pain")
    )
    assert only(content, "helped:hanging_down foot_discoloured").evidence[0] == "helped:hanging_down"


def test_an_implied_sign_is_shown_as_the_one_that_was_told(content: Content) -> None:
    assert only(content, "breathless_flat").evidence == ("sign:breathless_flat",)
    assert only(content, "confused").evidence == ("sign:confused",)


def test_what_is_implied_is_as_sure_as_what_implies_it(content: Content) -> None:
    assert closed_over(content.signs, {"suicidal": "unsure"})["very_low_mood"] == "unsure"
    assert closed_over(content.signs, {"suicidal": "unsure", "hopeless": "yes"})["very_low_mood"] == "yes"


def test_an_exact_question_answered_raises_its_row(content: Content) -> None:
    sure = finding_for(content, "E23", Facts(signs={"low_mood": "yes"}, side="right"))
    assert (sure.rule, sure.level, sure.topic, sure.side) == ("E23", Level.EMERGENCY, "despair", "right")
    assert finding_for(content, "U1", Facts(signs={"fever": "unsure"})).level is Level.URGENT
    assert finding_for(content, "S4", Facts(signs={"sore": "unsure"})).level is Level.ROUTINE
    assert finding_for(content, "R1", Facts(signs={"sore": "unsure"})).level is Level.ROUTINE


def test_an_unanswered_profile_question_leads_to_the_exact_question(content: Content) -> None:
    assert in_doubt(content, facts("foot_sore")) == ("U4", "U5")
    assert in_doubt(content, facts("leg_pain_stays")) == ("U17", "U2")
    assert in_doubt(content, facts("leg_weak")) == ("E7",)
    assert in_doubt(content, facts("leg_swollen")) == ()  # U1 stands already
    assert in_doubt(content, facts("pain_not_easing")) == ("U20",)
    assert in_doubt(content, facts("pain_not_easing pain:5")) == ()
    nothing = dict.fromkeys(content.profile, False)
    assert in_doubt(content, replace(facts("foot_sore leg_pain_stays"), flags=nothing)) == ()


def test_open_rows_withhold_what_would_harm(content: Content) -> None:
    clot = withheld(content, ["U1"])
    assert {"stretch", "massage", "compression", "heat", "walking", "light_movement"} <= clot
    assert {"elevation", "compression", "heat", "cold"} <= withheld(content, ["E3"])
    assert withheld(content, []) == frozenset()


def test_every_warning_sign_leads_somewhere(content: Content) -> None:
    for option in content.questions["signs"].options:
        if option.code in ("none", "unsure", "other"):
            continue
        told = Facts(signs=dict.fromkeys(option.signs, "yes"))
        sure = [found.level for found in judge(content, told)]
        perhaps = [content.red_flags[row].level for row in option.rows]
        assert max([*sure, *perhaps]) >= Level.URGENT


def test_a_condition_without_anything_reported_is_not_met() -> None:
    assert not holds(Condition(sign="fever"), Facts(), unsure=True)
    assert not holds(Condition(pain_from=0), Facts(), unsure=True)
    assert holds(Condition(pain_from=0), Facts(pain=0), unsure=False)
    assert not holds(Condition(flag="diabetes"), Facts(flags={"diabetes": False}), unsure=True)
