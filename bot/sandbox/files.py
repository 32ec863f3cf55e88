"""Uploads: checked, kept, and found again by the file_id that Telegram would give."""

import secrets
import struct
from dataclasses import asdict, dataclass

from bot.sandbox.journal import Journal
from bot.sandbox.refusals import Json, bad

LARGEST_UPLOAD = 50 * 1024 * 1024
LARGEST_PHOTO = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it came with a request."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a stored file."""

    id: str
    name: str
    mime: str
    size: int
    path: str
    width: int = 0
    height: int = 0


class Files:
    """Keeps files in memory, or beside the journal when there is one."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: dict[str, Kept] = {}
        self._contents: dict[str, bytes] = {}

    def keep(self, upload: Upload, kind: str) -> Kept:
        """Store an upload and give it an id."""
        picture = picture_size(upload.content) if kind == "photos" else None
        width, height = picture or (0, 0)
        number = secrets.token_hex(12)
        kept = Kept(
            id=f"SB{number}", name=upload.name, mime=upload.mime, size=len(upload.content),
            path=f"{kind}/{number}", width=width, height=height,
        )  # fmt: skip
        if not self._journal.keep(number, upload.content):
            self._contents[kept.id] = upload.content
        self._kept[kept.id] = kept
        self._journal.write("file", **asdict(kept))
        return kept

    def find(self, file_id: str) -> Kept | None:
        """Return what is known of a file."""
        return self._kept.get(file_id)

    def by_path(self, path: str) -> Kept | None:
        """Return the file that getFile named *path*."""
        return self._kept.get("SB" + path.rpartition("/")[2])

    def content(self, kept: Kept) -> bytes:
        """Return the bytes of a file."""
        inside = self._contents.get(kept.id)
        return inside if inside is not None else self._journal.fetch(kept.path.rpartition("/")[2])

    def recall(self, record: Json) -> None:
        """Take one file back from the journal."""
        kept = Kept(**record)
        self._kept[kept.id] = kept

    def records(self) -> list[Json]:
        """Return all files as journal records."""
        return [{"is": "file", **asdict(kept)} for kept in self._kept.values()]


def check_upload(upload: Upload, kind: str) -> None:
    """Refuse a file Telegram would not take."""
    if not upload.content:
        raise bad("file must be non-empty")
    if len(upload.content) > (LARGEST_PHOTO if kind == "photos" else LARGEST_UPLOAD):
        raise bad("file is too big")
    if kind != "photos":
        return
    size = picture_size(upload.content)
    if size is None:
        raise bad("IMAGE_PROCESS_FAILED")
    if sum(size) > 10000 or max(size) > 20 * min(size):
        raise bad("PHOTO_INVALID_DIMENSIONS")


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG or JPEG, None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return (width, height) if width and height else None
    return _jpeg_size(content) if content.startswith(b"\xff\xd8") else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 < len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return None
