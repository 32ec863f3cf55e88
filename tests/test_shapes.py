"""Values of frozen shapes come out as the shape's own way would make them."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date

import pytest

from bot.model import CheckIn
from bot.shapes import altered, straight

NIGHT = date(2026, 11, 28)


def test_a_value_made_straight_is_like_any_other() -> None:
    usual = CheckIn(NIGHT, pain=4, signs={"swelling": "yes"})
    made = straight(CheckIn)(*astuple(usual))
    assert made == usual
    assert hash(made) == hash(usual)


def test_an_altered_value_is_what_replace_would_make_and_leaves_the_first_as_it_was() -> None:
    first = CheckIn(NIGHT, pain=4)
    changes = {"pain": 6, "done": frozenset({"pain"})}
    assert altered(first, **changes) == replace(first, **changes)  # type: ignore[arg-type]
    assert first == CheckIn(NIGHT, pain=4)


def test_a_field_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(TypeError, match="CheckIn has no paim"):
        altered(CheckIn(NIGHT), paim=4)
