"""One transaction for many patients: a question is asked once about them all, like writes are made together.

What is asked of one patient is the same as ever: the answer is at hand already, or it is fetched as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Column,
    CursorResult,
    Executable,
    Select,
    Table,
)
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.sql.visitors import replacement_traverse

from bot.model import Kind
from bot.storage.escalations import ALL, ASKINGS, OPEN, OPEN_ASKINGS
from bot.storage.nights import (
    ADD_PIECE,
    ASKED_AT_TIMES,
    CHECKIN,
    DIARY,
    DROP_PIECES,
    EPISODES,
    EVENING,
    EVENINGS,
    OPEN_CHECKIN,
    PIECES,
    PLACE_CHECKIN,
    PLACE_EVENING,
    SAVE_EVENING,
    SHOWN_PIECES,
)
from bot.storage.people import PATIENT, PROFILE
from bot.storage.prepared import MadeT, Prepared, Question, listed_for_file, listed_for_server
from bot.storage.sendings import SAFETY_DUE, SENDING_FOR
from bot.storage.server import Work
from bot.storage.store import Store

WHOSE = "patient_id"
# Writes whose outcome nobody waits for: whoever holds the patient is the only one to write them.
PUT_OFF = frozenset({SAVE_EVENING, ADD_PIECE, DROP_PIECES, PLACE_EVENING, OPEN_CHECKIN, PLACE_CHECKIN})
Key = tuple[object, ...]


@dataclass(frozen=True)
class DiarySpans:
    """The first nights that are looked at for a check-in: judged, and asked what is not asked daily."""

    judged_since: date
    asked_since: date


class Group:
    """Rows of the same write, made together."""

    def __init__(self, change: Prepared) -> None:
        self.change = change
        self.rows: list[Mapping[str, object]] = []


class Company(Store):
    """The questions of one transaction about many patients; Database makes it and ends it with `catch_up`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._foreseen: dict[object, dict[Key, list[Any]]] = {}  # by patient
        self._groups: list[Group] = []
        self._last: dict[object, int] = {}  # of each patient's writes, the group of the last

    async def foresee(self, question: Question[Any], patient_ids: Collection[int], **given: object) -> None:
        """Ask a question about each of these patients; in a writing transaction rows are held as ever."""
        await self.catch_up()
        wide = _of_many(question)
        answers: dict[int, list[Any]] = {patient_id: [] for patient_id in patient_ids}
        for patient_id, made in await self._answers(wide, {**given, WHOSE: [*answers]}):
            answers[patient_id].append(made)
        key = (question, *given.values())
        for patient_id, made in answers.items():
            self._foreseen.setdefault(patient_id, {})[key] = made

    async def foresee_patients(self, patient_ids: Collection[int]) -> None:
        """Read patients; a writing transaction holds their rows until its end."""
        await self.foresee(PATIENT, patient_ids)

    async def foresee_evenings(
        self, patient_ids: Collection[int], night: date, shown_since: date, signs_since: date
    ) -> None:
        """Read what one evening's prompt is made of."""
        await self.foresee(EVENING, patient_ids, night=night)
        await self.foresee(PIECES, patient_ids, since=night, until=night)
        await self.foresee(OPEN, patient_ids)
        await self.foresee(OPEN_ASKINGS, patient_ids)
        await self.foresee(SHOWN_PIECES, patient_ids, since=shown_since)
        await self.foresee(DIARY, patient_ids, since=signs_since, until=night)
        await self.foresee(PROFILE, patient_ids)

    async def foresee_checkins(
        self,
        patient_ids: Collection[int],
        night: date,
        spans: DiarySpans,
        words: Collection[str],
    ) -> None:
        """Read what one morning's check-in is made and judged of; *words* are the subjects of kind words."""
        told = {"since": spans.judged_since, "until": night}
        await self.foresee(DIARY, patient_ids, **told)
        await self.foresee(EVENINGS, patient_ids, **told)
        await self.foresee(ALL, patient_ids)
        await self.foresee(EPISODES, patient_ids, **told)
        await self.foresee(PROFILE, patient_ids)
        await self.foresee(OPEN, patient_ids)
        await self.foresee(OPEN_ASKINGS, patient_ids)
        await self.foresee(ASKINGS, patient_ids, since=spans.judged_since)
        for subject in words:
            await self.foresee(SENDING_FOR, patient_ids, kind=Kind.WORD, subject=subject)
        await self.foresee(SAFETY_DUE, patient_ids)
        await self.foresee(CHECKIN, patient_ids, night=night)
        await self.foresee(ASKED_AT_TIMES, patient_ids, since=spans.asked_since)

    async def catch_up(self) -> None:
        """Make the writes that were put off."""
        if self._groups:
            groups, self._groups, self._last = self._groups, [], {}
            for group in groups:
                await super()._do_each(group.change, group.rows)

    async def _ask(self, question: Question[MadeT], **given: object) -> list[MadeT]:
        foreseen = self._foreseen.get(given.get(WHOSE))
        if foreseen is not None:
            found = foreseen.get((question, *(value for name, value in given.items() if name != WHOSE)))
            if found is not None:
                return [*found]
        await self.catch_up()
        return await super()._ask(question, **given)

    async def _do(self, change: Prepared, **given: object) -> int:
        patient_id = given.get(change.whose)
        self._forget(patient_id, change)
        if change in PUT_OFF:
            self._put_off(change, patient_id, given)
            return 1
        await self.catch_up()
        return await super()._do(change, **given)

    async def _do_each(self, change: Prepared, rows: Sequence[Mapping[str, object]]) -> int:
        await self.catch_up()
        self._forget(None, change)
        return await super()._do_each(change, rows)

    async def _changed(self, change: Question[MadeT], **given: object) -> list[MadeT]:
        await self.catch_up()
        self._forget(None, change)
        return await super()._changed(change, **given)

    async def _do_all(self, changes: Sequence[Work]) -> list[int]:
        await self.catch_up()
        for change, given in changes:
            self._forget(given.get(change.whose), change)
        return await super()._do_all(changes)

    def _put_off(self, change: Prepared, patient_id: object, given: Mapping[str, object]) -> None:
        """Join the rows of the same write, but never before an earlier write of the same patient."""
        first = self._last.get(patient_id, 0)
        for place in range(first, len(self._groups)):
            if self._groups[place].change is change:
                break
        else:
            place = len(self._groups)
            self._groups.append(Group(change))
        self._groups[place].rows.append(given)
        self._last[patient_id] = place

    def _forget(self, patient_id: object, change: Prepared) -> None:
        """Drop what is known of a patient, or of all, from the table that is written to."""
        written = cast("Any", change.statement).table
        for known in [self._foreseen.get(patient_id, {})] if patient_id else self._foreseen.values():
            for key in [key for key in known if written in _read(cast("Question[Any]", key[0]))]:
                del known[key]

    async def _run(self, statement: Executable) -> CursorResult[Any]:
        await self.catch_up()
        if not statement.is_select:
            self._foreseen.clear()
        return await super()._run(statement)

    async def _add(self, insert: Prepared, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        await self.catch_up()
        self._forget(None, insert)
        return await super()._add(insert, rows)


class _Wide(Question[tuple[int, Any]]):
    """A question about one patient, asked about many: whose, and what is made of the rest of a row."""

    def __init__(self, question: Question[Any]) -> None:
        one = cast("Select[Any]", question.statement)
        self._whose = _column_of(one)
        asked = _widened(one, listed_for_server)

        def made(patient_id: int, *values: Any) -> tuple[int, Any]:
            return patient_id, question.made(*values)

        super().__init__(made, asked)
        self._file_statement = _widened(one, listed_for_file)
        if question.held is not question.statement:
            # In one order, so that two who hold many never wait for each other.
            self.held = asked.order_by(None).order_by(self._whose).with_for_update(key_share=True)


def _column_of(query: Select[Any]) -> Column[Any]:
    """Return the column that says whose a question's rows are."""
    found: list[Any] = []

    def look(element: Any, **_: Any) -> None:
        if _names_one(element):
            found.append(element.left)

    replacement_traverse(query, {}, look)
    return cast("Column[Any]", found[0])


def _widened(query: Select[Any], among: Any) -> Select[Any]:
    """Return a query about one patient as one about many, whose they are in front."""

    def replace(element: Any, **_: Any) -> Any:
        return among(element.left, WHOSE) if _names_one(element) else None

    whose = _column_of(query)
    wide = cast("Select[Any]", replacement_traverse(query, {}, replace))
    # A limit would be one for all of them.
    wide = wide.with_only_columns(whose.label("whose"), *query.selected_columns).limit(None)
    return wide.group_by(whose) if query._group_by_clauses else wide  # noqa: SLF001  # it tells nobody else


def _names_one(element: object) -> bool:
    return (
        isinstance(element, BinaryExpression)
        and isinstance(element.right, BindParameter)
        and element.right.key == WHOSE
    )


@cache
def _of_many(question: Question[Any]) -> _Wide:
    return _Wide(question)


@cache
def _read(question: Question[Any]) -> frozenset[Table]:
    """Return the tables that a question reads."""
    return frozenset(cast("Select[Any]", question.statement).get_final_froms())  # type: ignore[arg-type]
