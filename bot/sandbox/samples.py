"""Stand-ins for what people send: a picture, a voice, a sticker, a film, a file."""

import struct
import zlib

from bot.sandbox.files import Kept, Upload
from bot.sandbox.refusals import Json


def _plain_png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


PHOTO = Upload("photo.png", "image/png", _plain_png(240, 160, (120, 140, 170)))
VOICE = Upload("voice.ogg", "audio/ogg", b"OggS a voice that says nothing")
STICKER = Upload("sticker.webp", "image/webp", b"RIFF a sticker nobody draws")
DOCUMENT = Upload("letter.pdf", "application/pdf", b"%PDF-1.4\n%%EOF\n")
VIDEO = Upload("film.mp4", "video/mp4", b"a film in which nothing happens")


def _file(kept: Kept) -> Json:
    return {"file_id": kept.id, "file_unique_id": kept.id[-12:], "file_size": kept.size}


def photo(kept: Kept) -> Json:
    """Return a picture as a message carries it."""
    return {"photo": [_file(kept) | {"width": kept.width or 1, "height": kept.height or 1}]}


def voice(kept: Kept, seconds: int) -> Json:
    """Return a spoken message as a message carries it."""
    return {"voice": _file(kept) | {"duration": seconds, "mime_type": kept.mime}}


def sticker(kept: Kept, emoji: str) -> Json:
    """Return a sticker as a message carries it."""
    shape = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    return {"sticker": _file(kept) | shape | {"emoji": emoji}}


def document(kept: Kept) -> Json:
    """Return a file as a message carries it."""
    return {"document": _file(kept) | {"file_name": kept.name, "mime_type": kept.mime}}


def video(kept: Kept) -> Json:
    """Return a film as a message carries it."""
    return {"video": _file(kept) | {"width": 320, "height": 240, "duration": 2, "mime_type": kept.mime}}
