"""Check-ins, evenings and episodes by night; an answer that changes leaves its old value behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from bot.model import ANSWER_QUESTIONS, CheckIn, Correction, Episode, Evening, Origin
from bot.storage.errors import StorageError
from bot.storage.statements import Statements, checked, made
from bot.storage.tables import checkin, correction, episode, evening, evening_piece

FIXED = frozenset({"id", "patient_id", "origin"})
CHECKIN_FIELDS = tuple(field.name for field in fields(CheckIn) if field.name != "night")


class Nights(Statements):
    """The questions about nights."""

    async def checkin(self, patient_id: int, night: date) -> CheckIn | None:
        """Return the check-in of one night; a writing transaction holds the row until its end."""
        row = await self._one(
            self._for_change(
                select(checkin).where(checkin.c.patient_id == patient_id, checkin.c.night == night)
            )
        )
        return None if row is None else made(CheckIn, row)

    async def open_checkin(
        self, patient_id: int, night: date, origin: Origin, version: str, now: datetime
    ) -> CheckIn:
        """Open the check-in of one night, or return the one there is."""
        fresh = CheckIn(night, origin=origin, version=version, opened_at=now)
        values = {name: getattr(fresh, name) for name in CHECKIN_FIELDS}
        row = await self._one(
            self._insert(checkin)
            .values(patient_id=patient_id, night=night, **values)
            .on_conflict_do_nothing()
            .returning(checkin)
        )
        if row is not None:
            return made(CheckIn, row)
        standing = await self.checkin(patient_id, night)
        if standing is None:
            raise StorageError("a check-in vanished while it was opened: try again")
        return standing

    async def save_checkin(
        self, patient_id: int, before: CheckIn, after: CheckIn, now: datetime, origin: Origin
    ) -> None:
        """Write what changed in an opened check-in, and keep the old value of each corrected answer."""
        changed = {
            name: getattr(after, name)
            for name in CHECKIN_FIELDS
            if getattr(before, name) != getattr(after, name)
        }
        if not changed:
            return
        written = await self._run(
            update(checkin)
            .where(checkin.c.patient_id == patient_id, checkin.c.night == after.night)
            .values(changed)
        )
        if not written.rowcount:
            raise StorageError("an answer came for a check-in that was never opened, or was erased")
        kept = [
            {
                "patient_id": patient_id,
                "night": after.night,
                "question": question,
                "old": _as_text(getattr(before, question)),
                "new": _as_text(getattr(after, question)),
                "at": now,
                "origin": origin,
            }
            for question in ANSWER_QUESTIONS
            if question in changed and _is_correction(question, before, after)
        ]
        if kept:
            await self._run(self._insert(correction).values(kept))

    async def asked_at_times(self, patient_id: int, since: date) -> dict[str, date]:
        """Return the questions not asked daily that were answered or skipped since a night, with the last."""
        rows = await self._all(
            select(checkin.c.night, checkin.c.more, checkin.c.done)
            .where(
                checkin.c.patient_id == patient_id, checkin.c.night >= since, checkin.c.more != frozenset()
            )
            .order_by(checkin.c.night)
        )
        return {question: row["night"] for row in rows for question in row["more"] & row["done"]}

    async def place_checkin(self, patient_id: int, night: date, message_id: int) -> None:
        """Remember which message holds the check-in of one night."""
        await self._run(
            update(checkin)
            .where(checkin.c.patient_id == patient_id, checkin.c.night == night)
            .values(message_id=message_id)
        )

    async def diary(self, patient_id: int, since: date, until: date) -> list[CheckIn]:
        """Return the check-ins of the nights from *since* to *until*, both included, in order."""
        rows = await self._all(
            select(checkin)
            .where(checkin.c.patient_id == patient_id, checkin.c.night.between(since, until))
            .order_by(checkin.c.night)
        )
        return [made(CheckIn, row) for row in rows]

    async def corrections(self, patient_id: int, night: date) -> list[Correction]:
        """Return the corrections of one night's answers, oldest first."""
        rows = await self._all(
            select(correction)
            .where(correction.c.patient_id == patient_id, correction.c.night == night)
            .order_by(correction.c.id)
        )
        return [made(Correction, row) for row in rows]

    async def evening(self, patient_id: int, night: date) -> Evening | None:
        """Return what was offered and done one evening; a writing transaction holds the row."""
        row = await self._one(
            self._for_change(
                select(evening).where(evening.c.patient_id == patient_id, evening.c.night == night)
            )
        )
        if row is None:
            return None
        pieces = await self._pieces(patient_id, night, night)
        return _evening(row, pieces)

    async def save_evening(self, patient_id: int, shown: Evening, now: datetime) -> None:
        """Keep one evening in place of what was known of it."""
        values: dict[str, Any] = {
            "done": shown.done,
            "declined": shown.declined,
            "message_id": shown.message_id,
            "changed_at": now,
        }
        await self._run(
            self._insert(evening)
            .values(patient_id=patient_id, night=shown.night, **values)
            .on_conflict_do_update(index_elements=["patient_id", "night"], set_=values)
        )
        known = await self._pieces(patient_id, shown.night, shown.night)
        if known.get(shown.night, ()) == shown.pieces:
            return
        await self._run(
            delete(evening_piece).where(
                evening_piece.c.patient_id == patient_id, evening_piece.c.night == shown.night
            )
        )
        if shown.pieces:
            key = {"patient_id": patient_id, "night": shown.night}
            rows = [{**key, "part": part, "piece": piece} for part, piece in enumerate(shown.pieces)]
            await self._run(self._insert(evening_piece).values(rows))

    async def evenings(self, patient_id: int, since: date, until: date) -> list[Evening]:
        """Return the evenings of the nights from *since* to *until*, both included, in order."""
        rows = await self._all(
            select(evening)
            .where(evening.c.patient_id == patient_id, evening.c.night.between(since, until))
            .order_by(evening.c.night)
        )
        pieces = await self._pieces(patient_id, since, until) if rows else {}
        return [_evening(row, pieces) for row in rows]

    async def shown_pieces(self, patient_id: int, since: date) -> dict[str, date]:
        """Return the pieces of content shown since a night, each with the night it was shown last."""
        rows = await self._all(
            select(evening_piece.c.piece, func.max(evening_piece.c.night).label("last"))
            .where(evening_piece.c.patient_id == patient_id, evening_piece.c.night >= since)
            .group_by(evening_piece.c.piece)
        )
        return {row["piece"]: row["last"] for row in rows}

    async def add_episode(self, patient_id: int, night: date, at: datetime, origin: str) -> Episode:
        """Add one episode, or return the one that came from the same *origin*."""
        row = await self._one(
            self._insert(episode)
            .values(patient_id=patient_id, night=night, at=at, origin=origin)
            .on_conflict_do_nothing()
            .returning(episode)
        )
        if row is None:
            same = (episode.c.patient_id == patient_id) & (episode.c.origin == origin)
            row = (await self._run(select(episode).where(same))).mappings().one()
        return made(Episode, row)

    async def episode(self, episode_id: int) -> tuple[int, Episode] | None:
        """Return an episode behind the id of its patient."""
        row = await self._one(select(episode).where(episode.c.id == episode_id))
        return None if row is None else (row["patient_id"], made(Episode, row))

    async def change_episode(self, episode_id: int, **fields: object) -> None:
        """Change fields of an episode by name; TypeError for an unknown name."""
        values = checked(episode, fields, FIXED)
        await self._run(update(episode).where(episode.c.id == episode_id).values(values))

    async def episodes(self, patient_id: int, since: date, until: date | None = None) -> list[Episode]:
        """Return the episodes of the nights from *since* (to *until*, included) in order."""
        query: Select[Any] = select(episode).where(
            episode.c.patient_id == patient_id, episode.c.night >= since
        )
        if until is not None:
            query = query.where(episode.c.night <= until)
        rows = await self._all(query.order_by(episode.c.at, episode.c.id))
        return [made(Episode, row) for row in rows]

    async def _pieces(self, patient_id: int, since: date, until: date) -> dict[date, tuple[str, ...]]:
        rows = await self._all(
            select(evening_piece.c.night, evening_piece.c.piece)
            .where(evening_piece.c.patient_id == patient_id, evening_piece.c.night.between(since, until))
            .order_by(evening_piece.c.night, evening_piece.c.part)
        )
        pieces: dict[date, tuple[str, ...]] = {}
        for row in rows:
            pieces[row["night"]] = (*pieces.get(row["night"], ()), row["piece"])
        return pieces


def _evening(row: Mapping[Any, Any], pieces: Mapping[date, tuple[str, ...]]) -> Evening:
    return Evening(
        row["night"], pieces.get(row["night"], ()), row["done"], row["declined"], row["message_id"]
    )


def _is_correction(question: str, before: CheckIn, after: CheckIn) -> bool:
    """Tell a changed answer from one that is still being given, tap by tap."""
    old, new = getattr(before, question), getattr(after, question)
    if question in before.skipped and not old:
        return False
    if question in before.done:
        return True
    if isinstance(old, Mapping):
        return any(new.get(sign) != answer for sign, answer in old.items())
    if isinstance(old, tuple):
        return not set(old) <= set(new)
    return old is not None


def _as_text(answer: object) -> str:
    if answer is None:
        return ""
    if isinstance(answer, Mapping):
        return ",".join(f"{sign}={answer[sign]}" for sign in sorted(answer))
    return ",".join(answer) if isinstance(answer, tuple) else str(answer)
