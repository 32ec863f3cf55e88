"""Formatted text as Telegram reads it: HTML in, plain text and entities (UTF-16 offsets) out."""

import re
from dataclasses import dataclass, field

from bot.sandbox.refusals import Json, Refused, bad

MOST_ENTITIES = 100
_PLAIN_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre",
}  # fmt: skip
_SPECIAL_TAGS = {"a", "span", "blockquote", "tg-emoji", "tg-time"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_MARK = re.compile(r"<(/?)([A-Za-z0-9-]*)|&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot);?")
_ATTRIBUTE = re.compile(r"""\s*([A-Za-z0-9-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_FOUND = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[\w.-]*\w)|(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)'])"
    r"|(?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{3,31})|(?P<phone_number>\+[1-9](?:[ ()-]{0,2}\d){6,14})(?!\d)"
)


@dataclass
class _Reading:
    """A text being read: what is plain so far, what is open, what is closed."""

    source: str
    plain: list[str] = field(default_factory=list)
    length: int = 0
    open: list[tuple[str, Json, int]] = field(default_factory=list)
    closed: list[Json] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.plain.append(text)
        self.length += units(text)

    def byte(self, position: int) -> int:
        return len(self.source[:position].encode())


def units(text: str) -> int:
    """Return the length of *text* in UTF-16 code units, as Telegram counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and the entities of *source*, or refuse it as Telegram would."""
    reading = _Reading(source)
    position = 0
    while match := _MARK.search(source, position):
        reading.add(source[position : match.start()])
        if match[3]:
            reading.add(_character(match[3]))
            position = match.end()
        elif match[1]:
            position = _close(reading, match)
        else:
            position = _open(reading, match)
    reading.add(source[position:])
    if reading.open:
        raise _unparsed(f'Can\'t find end tag corresponding to start tag "{reading.open[-1][0]}"')
    return trimmed("".join(reading.plain), reading.closed)


def _character(name: str) -> str:
    if not name.startswith("#"):
        return _NAMED[name]
    code = int(f"0{name[1:]}", 0) if name[1] in "xX" else int(name[1:])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else f"&{name};"


def _open(reading: _Reading, match: re.Match[str]) -> int:
    tag, start = match[2].lower(), match.start()
    if tag not in _PLAIN_TAGS and tag not in _SPECIAL_TAGS:
        raise _unparsed(f'Unsupported start tag "{tag}" at byte offset {reading.byte(start)}')
    attributes: dict[str, str] = {}
    position = match.end()
    while found := _ATTRIBUTE.match(reading.source, position):
        attributes[found[1].lower()] = re.sub(
            _MARK, lambda named: _character(named[3]) if named[3] else named[0],
            found[2] or found[3] or found[4] or "",
        )  # fmt: skip
        position = found.end()
    tail = re.compile(r"\s*>").match(reading.source, position)
    if tail is None:
        raise _unparsed(f"Unclosed start tag at byte offset {reading.byte(start)}")
    reading.open.append((tag, _entity(tag, attributes, reading, start), reading.length))
    return tail.end()


def _entity(tag: str, attributes: dict[str, str], reading: _Reading, start: int) -> Json:
    """Return the entity a start tag begins; an empty one marks nothing."""
    if tag == "span":
        if attributes.get("class") != "tg-spoiler":
            where = reading.byte(start)
            raise _unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
        return {"type": "spoiler"}
    if tag == "a":
        return {"type": "text_link", "url": attributes["href"]} if attributes.get("href") else {}
    if tag == "blockquote":
        return {"type": "expandable_blockquote" if "expandable" in attributes else "blockquote"}
    if tag == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
    if tag == "tg-time":
        if not attributes.get("unix", "").isdigit():
            raise _unparsed(f"Invalid date-time at byte offset {reading.byte(start)}")
        shape = {"date_time_format": attributes["format"]} if attributes.get("format") else {}
        return {"type": "date_time", "unix_time": int(attributes["unix"]), **shape}
    language = attributes.get("class", "").removeprefix("language-") if tag == "code" else ""
    return {"type": _PLAIN_TAGS[tag]} | ({"language": language} if language else {})


def _close(reading: _Reading, match: re.Match[str]) -> int:
    tag, start = match[2].lower(), match.start()
    tail = re.compile(r"\s*>").match(reading.source, match.end())
    if tail is None or not reading.open:
        raise _unparsed(f"Unexpected end tag at byte offset {reading.byte(start)}")
    opened, entity, offset = reading.open.pop()
    if tag and tag != opened:
        where = reading.byte(start)
        raise _unparsed(f'Unmatched end tag at byte offset {where}, expected "</{opened}>", found "</{tag}>"')
    language = entity.pop("language", None) if opened == "code" else None
    if opened == "code" and reading.open and reading.open[-1][0] == "pre":
        # A code tag inside pre only names the language of the block.
        reading.open[-1][1].update({"language": language} if language else {})
    elif entity and reading.length > offset:
        reading.closed.append({**entity, "offset": offset, "length": reading.length - offset})
    return tail.end()


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Return *text* without the white space around it, and the entities moved to fit."""
    whole = text.rstrip()
    plain = whole.lstrip()
    cut, end = units(whole) - units(plain), units(plain)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - cut, 0)
        last = min(entity["offset"] + entity["length"] - cut, end)
        if last > first:
            kept.append({**entity, "offset": first, "length": last - first})
    return plain, _ordered(kept)


def _ordered(entities: list[Json]) -> list[Json]:
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))[:MOST_ENTITIES]


def with_found(text: str, entities: list[Json]) -> list[Json]:
    """Add the links, commands, mentions and phone numbers that Telegram finds by itself."""
    found = []
    for match in _FOUND.finditer(text):
        kind = match.lastgroup or ""
        offset, length = units(text[: match.start(kind)]), units(match[kind])
        if not any(_covers(entity, offset, length) for entity in entities):
            found.append({"type": kind, "offset": offset, "length": length})
    if not found:
        return entities
    return _ordered([*entities, *found])


def _covers(entity: Json, offset: int, length: int) -> bool:
    inside = entity["offset"] < offset + length and offset < entity["offset"] + entity["length"]
    return inside and entity["type"] in {"code", "pre", "text_link", "date_time"}


def _unparsed(reason: str) -> Refused:
    return bad(f"can't parse entities: {reason}")
