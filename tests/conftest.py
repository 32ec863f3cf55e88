"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules import likeness
from bot.sandbox import Sandbox
from content.loader import shipped
from tests.conversation import Conversation

pytest_plugins = ["tests.servers"]


@pytest.fixture(scope="session")
def learned() -> None:
    """The examples learned once a process: no first conversation waits beside it."""
    likeness.learn(shipped("en"))


@pytest.fixture
async def telegram() -> AsyncIterator[Sandbox]:
    """A stand-in for Telegram, with no bot."""
    sandbox = Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def talk(tmp_path: Path, learned: None) -> AsyncIterator[Conversation]:
    """A running bot on SQLite with people to talk to; nothing it sent may have been refused."""
    async with Conversation(tmp_path) as conversation:
        yield conversation
        refused = [one for one in conversation.telegram.complaints if "message is not modified" not in one]
        assert not refused, refused  # a button pressed twice leaves its message as it is
