"""Check-ins, evenings and episodes by night; an answer that changes leaves its old value behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from bot.model import ANSWER_QUESTIONS, CheckIn, Correction, Episode, Evening, Origin
from bot.shapes import altered, straight
from bot.storage.errors import StorageError
from bot.storage.prepared import Prepared, Question, columns_of, upsert
from bot.storage.server import Work
from bot.storage.statements import Statements, checked, made
from bot.storage.tables import checkin, correction, episode, evening, evening_piece

NIGHTS_KEPT = 4096  # the diaries of some forty people who answer at once
FIXED = frozenset({"id", "patient_id", "origin"})
CHECKIN_FIELDS = tuple(field.name for field in fields(CheckIn) if field.name != "night")

_CHECKINS = select(*columns_of(CheckIn, checkin)).where(checkin.c.patient_id == bindparam("patient_id"))
_checkin_of = straight(CheckIn)
CHECKIN = Question(_checkin_of, _CHECKINS.where(checkin.c.night == bindparam("night")), holds=True)
DIARY = Question(
    _checkin_of,
    _CHECKINS.where(checkin.c.night.between(bindparam("since"), bindparam("until"))).order_by(
        checkin.c.night
    ),
    keeps=NIGHTS_KEPT,
)
EPISODES = Question(
    Episode,
    select(*columns_of(Episode, episode))
    .where(
        episode.c.patient_id == bindparam("patient_id"),
        episode.c.night.between(bindparam("since"), bindparam("until")),
    )
    .order_by(episode.c.at, episode.c.id),
)


def _bare_evening(night: date, done: frozenset[str], declined: bool, message_id: int | None) -> Evening:
    return Evening(night, (), done, declined, message_id)


_EVENINGS = select(evening.c.night, evening.c.done, evening.c.declined, evening.c.message_id).where(
    evening.c.patient_id == bindparam("patient_id")
)
EVENING = Question(_bare_evening, _EVENINGS.where(evening.c.night == bindparam("night")), holds=True)
EVENINGS = Question(
    _bare_evening,
    _EVENINGS.where(evening.c.night.between(bindparam("since"), bindparam("until"))).order_by(
        evening.c.night
    ),
    keeps=NIGHTS_KEPT,
)


def _shown(one: Any, other: Any) -> tuple[Any, Any]:
    return one, other


_PIECE_OF = evening_piece.c.patient_id == bindparam("patient_id")
PIECES = Question[tuple[date, str]](
    _shown,
    select(evening_piece.c.night, evening_piece.c.piece)
    .where(_PIECE_OF, evening_piece.c.night.between(bindparam("since"), bindparam("until")))
    .order_by(evening_piece.c.night, evening_piece.c.part),
)
SHOWN_PIECES = Question[tuple[str, date]](
    _shown,
    select(evening_piece.c.piece, func.max(evening_piece.c.night))
    .where(_PIECE_OF, evening_piece.c.night >= bindparam("since"))
    .group_by(evening_piece.c.piece),
)
ASKED_AT_TIMES = Question[tuple[date, frozenset[str]]](
    lambda night, more, done: (night, more & done),
    select(checkin.c.night, checkin.c.more, checkin.c.done)
    .where(
        checkin.c.patient_id == bindparam("patient_id"),
        checkin.c.night >= bindparam("since"),
        checkin.c.more != frozenset(),
    )
    .order_by(checkin.c.night),
)
OPEN_CHECKIN = upsert(checkin, ("patient_id", "night"), (), CHECKIN_FIELDS)
SAVE_EVENING = upsert(evening, ("patient_id", "night"), ("done", "declined", "message_id", "changed_at"))
PLACE_EVENING = Prepared(
    update(evening)
    .where(evening.c.patient_id == bindparam("of"), evening.c.night == bindparam("on"))
    .values(message_id=bindparam("new_message_id")),
    whose="of",
)
DROP_PIECES = Prepared(
    delete(evening_piece).where(
        evening_piece.c.patient_id == bindparam("of"), evening_piece.c.night == bindparam("on")
    ),
    whose="of",
)
ADD_PIECE = Prepared(evening_piece.insert(), ("patient_id", "night", "part", "piece"))
PLACE_CHECKIN = Prepared(
    update(checkin)
    .where(checkin.c.patient_id == bindparam("of"), checkin.c.night == bindparam("on"))
    .values(message_id=bindparam("new_message_id")),
    whose="of",
)
CORRECTED = Prepared(correction.insert(), ("patient_id", "night", "question", "old", "new", "at", "origin"))


@cache
def _changed(names: tuple[str, ...]) -> Prepared:
    """Return the statement that writes these fields of a check-in."""
    of_night = (checkin.c.patient_id == bindparam("of")) & (checkin.c.night == bindparam("on"))
    return Prepared(update(checkin).where(of_night), names, whose="of")


class Nights(Statements):
    """The questions about nights."""

    async def checkin(self, patient_id: int, night: date) -> CheckIn | None:
        """Return the check-in of one night; a writing transaction holds the row until its end."""
        return await self._first(CHECKIN, patient_id=patient_id, night=night)

    async def open_checkin(
        self, patient_id: int, night: date, origin: Origin, version: str, now: datetime
    ) -> CheckIn:
        """Open the check-in of one night, or return the one there is."""
        standing = await self.checkin(patient_id, night)
        if standing is not None:
            return standing
        fresh = CheckIn(night, origin=origin, version=version, opened_at=now)
        values = {name: getattr(fresh, name) for name in CHECKIN_FIELDS}
        if await self._do(OPEN_CHECKIN, patient_id=patient_id, night=night, **values):
            return fresh
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
        corrected: list[Work] = [
            (
                CORRECTED,
                {
                    "patient_id": patient_id,
                    "night": after.night,
                    "question": question,
                    "old": _as_text(getattr(before, question)),
                    "new": _as_text(getattr(after, question)),
                    "at": now,
                    "origin": origin,
                },
            )
            for question in ANSWER_QUESTIONS
            if question in changed and _is_correction(question, before, after)
        ]
        standing = self._known_nights(patient_id)
        written = {"of": patient_id, "on": after.night, **changed}
        if not (await self._do_all([(_changed(tuple(changed)), written), *corrected]))[0]:
            raise StorageError("an answer came for a check-in that was never opened, or was erased")
        # What was just written need not be read again.
        shown = altered(after, signs=dict(sorted(after.signs.items()))) if after.signs else after
        for key, nights in standing.items():
            self._known[key] = [shown if one.night == after.night else one for one in nights]

    def _known_nights(self, patient_id: int) -> dict[tuple[Any, ...], list[CheckIn]]:
        return {
            key: nights
            for key, nights in self._known.items()
            if key[0] in (CHECKIN, DIARY) and key[1] == patient_id
        }

    async def asked_at_times(self, patient_id: int, since: date) -> dict[str, date]:
        """Return the questions not asked daily that were answered or skipped since a night, with the last."""
        rows = await self._ask(ASKED_AT_TIMES, patient_id=patient_id, since=since)
        return {question: night for night, asked in rows for question in asked}

    async def place_checkin(self, patient_id: int, night: date, message_id: int) -> None:
        """Remember which message holds the check-in of one night."""
        await self._do(PLACE_CHECKIN, of=patient_id, on=night, new_message_id=message_id)

    async def diary(self, patient_id: int, since: date, until: date) -> list[CheckIn]:
        """Return the check-ins of the nights from *since* to *until*, both included, in order."""
        return await self._ask(DIARY, patient_id=patient_id, since=since, until=until)

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
        bare = await self._first(EVENING, patient_id=patient_id, night=night)
        if bare is None:
            return None
        return replace(bare, pieces=(await self._pieces(patient_id, night, night)).get(night, ()))

    async def save_evening(self, patient_id: int, shown: Evening, now: datetime) -> None:
        """Keep one evening in place of what was known of it."""
        known = await self._pieces(patient_id, shown.night, shown.night)
        await self._do(
            SAVE_EVENING,
            patient_id=patient_id,
            night=shown.night,
            done=shown.done,
            declined=shown.declined,
            message_id=shown.message_id,
            changed_at=now,
        )
        if known.get(shown.night, ()) == shown.pieces:
            return
        if known:
            await self._do(DROP_PIECES, of=patient_id, on=shown.night)
        for part, piece in enumerate(shown.pieces):
            await self._do(ADD_PIECE, patient_id=patient_id, night=shown.night, part=part, piece=piece)

    async def place_evening(self, patient_id: int, night: date, message_id: int) -> None:
        """Remember which message holds the prompt of one evening."""
        await self._do(PLACE_EVENING, of=patient_id, on=night, new_message_id=message_id)

    async def evenings(self, patient_id: int, since: date, until: date) -> list[Evening]:
        """Return the evenings of the nights from *since* to *until*, both included, in order."""
        bare = await self.bare_evenings(patient_id, since, until)
        pieces = await self._pieces(patient_id, since, until) if bare else {}
        return [replace(one, pieces=pieces.get(one.night, ())) for one in bare]

    async def bare_evenings(self, patient_id: int, since: date, until: date) -> list[Evening]:
        """Return the evenings of these nights as `evenings` does, without what was offered."""
        return await self._ask(EVENINGS, patient_id=patient_id, since=since, until=until)

    async def shown_pieces(self, patient_id: int, since: date) -> dict[str, date]:
        """Return the pieces of content shown since a night, each with the night it was shown last."""
        return dict(await self._ask(SHOWN_PIECES, patient_id=patient_id, since=since))

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
        return await self._ask(EPISODES, patient_id=patient_id, since=since, until=until or date.max)

    async def _pieces(self, patient_id: int, since: date, until: date) -> dict[date, tuple[str, ...]]:
        pieces: dict[date, tuple[str, ...]] = {}
        for night, piece in await self._ask(PIECES, patient_id=patient_id, since=since, until=until):
            pieces[night] = (*pieces.get(night, ()), piece)
        return pieces


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
