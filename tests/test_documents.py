"""The documents say what is true: links lead somewhere, tests exist, settings and commands are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import NAMES
from bot.flows.help import COMMANDS

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/hosting.md",
    "docs/delivery.md",
    "docs/safety.md",
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_paths_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]
    named = re.findall(r"`((?:bot|content|handlers|tests|docs)/[\w./]*)`", text)
    assert not missing + [path for path in named if not (ROOT / path).exists()]


def test_each_test_that_shows_a_control_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/safety.md").read_text(encoding="utf-8")))
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    assert not {name for name in named if f"def {name}(" not in tests}


def test_every_setting_is_explained() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)) == set(NAMES)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == set(NAMES)


def test_every_command_is_listed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not {name for name in COMMANDS if f"`/{name}`" not in readme}


def test_the_picture_is_small_enough_for_a_first_screen() -> None:
    picture = (ROOT / "docs/conversation.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 250_000
