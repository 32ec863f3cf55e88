"""What must survive a kill: one JSON line per change, replayed at the next start."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from bot.sandbox.refusals import Json


class Journal:
    """A file of JSON lines and a folder of uploads beside it; without a path, nothing at all."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._folder = path.with_name(path.name + ".files") if path else None
        self._file: IO[str] | None = None

    def read(self) -> Iterator[Json]:
        """Yield every whole record; a line torn by a kill ends the reading."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    return

    def compact(self, records: Iterable[Json]) -> None:
        """Replace the file by *records* in one step, and append from there."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(_line(record))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        self._file = self.path.open("a", encoding="utf-8")

    def write(self, kind: str, **record: object) -> None:
        """Append one change and hand it to the system before anyone is answered."""
        if self._file is not None:
            self._file.write(_line({"is": kind, **record}))
            self._file.flush()

    def keep(self, name: str, content: bytes) -> bool:
        """Store an upload beside the journal; False when there is nowhere to store it."""
        if self._folder is None:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(content)
        return True

    def fetch(self, name: str) -> bytes:
        """Return an upload stored before."""
        if self._folder is None:
            raise FileNotFoundError(name)
        return (self._folder / name).read_bytes()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(record: Json) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
