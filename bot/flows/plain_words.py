"""Typed words that stand for a choice or a command by their exact name, in the language's own lists."""

from __future__ import annotations

from content.loader import Content


def folded(text: str) -> str:
    """Return words in small letters without what ends a sentence, so that "Left." is "left"."""
    return " ".join(text.casefold().replace("’", "'").split()).strip(" .!,?…")


def listed(content: Content, key: str) -> tuple[str, ...]:
    """Return the words that a message lists, with a bar between them; none where there is no such message."""
    return tuple(content.words.plain(key).split(" | ")) if key in content.words.messages else ()
