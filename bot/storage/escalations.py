"""Escalations with all that came of them, and the exact questions that led to some of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, select, update

from bot.model import Asking, Escalation, EscalationEvent, Finding
from bot.storage.prepared import Question, columns_of
from bot.storage.statements import Statements, checked, made
from bot.storage.tables import asking, escalation, escalation_event

FIXED = frozenset({"id", "patient_id", "origin"})

_ESCALATIONS = select(*columns_of(Escalation, escalation))
_OF_PATIENT = _ESCALATIONS.where(escalation.c.patient_id == bindparam("patient_id")).order_by(
    escalation.c.raised_at, escalation.c.id
)
ESCALATION = Question(
    Escalation, _ESCALATIONS.where(escalation.c.id == bindparam("escalation_id")), holds=True
)
ALL = Question(Escalation, _OF_PATIENT)
OPEN = Question(Escalation, _OF_PATIENT.where(escalation.c.closed_at.is_(None)))
SINCE = Question(Escalation, _OF_PATIENT.where(escalation.c.raised_at >= bindparam("since")))

_ASKINGS = select(*columns_of(Asking, asking))
_ASKED_OF = _ASKINGS.where(asking.c.patient_id == bindparam("patient_id")).order_by(
    asking.c.asked_at, asking.c.id
)
ASKING = Question(Asking, _ASKINGS.where(asking.c.id == bindparam("asking_id")))
OPEN_ASKINGS = Question(Asking, _ASKED_OF.where(asking.c.answered_at.is_(None)))
ASKINGS = Question(Asking, _ASKED_OF.where(asking.c.night >= bindparam("since")))


class Escalations(Statements):
    """The questions about escalations and askings."""

    async def raise_escalation(
        self,
        patient_id: int,
        finding: Finding,
        night: date,
        about_other: bool,
        origin: str,
        words: str,
        content_version: str,
        now: datetime,
    ) -> tuple[Escalation, bool]:
        """Raise a finding once for its *origin*; return the escalation and whether it is new."""
        row = await self._one(
            self._insert(escalation)
            .values(
                patient_id=patient_id,
                rule=finding.rule,
                level=finding.level,
                topic=finding.topic,
                side=finding.side,
                about_other=about_other,
                night=night,
                evidence=finding.evidence,
                content_version=content_version,
                words=words,
                raised_at=now,
                origin=origin,
            )
            .on_conflict_do_nothing()
            .returning(escalation)
        )
        if row is not None:
            return made(Escalation, row), True
        same = select(escalation).where(
            escalation.c.patient_id == patient_id,
            escalation.c.rule == finding.rule,
            escalation.c.side == finding.side if finding.side else escalation.c.side == "",
            escalation.c.origin == origin,
        )
        return made(Escalation, (await self._run(same)).mappings().one()), False

    async def raised_by(self, patient_id: int, origin: str) -> frozenset[str]:
        """Return the rules that one origin (an update, a night) has raised already."""
        rows = await self._all(
            select(escalation.c.rule).where(
                escalation.c.patient_id == patient_id, escalation.c.origin == origin
            )
        )
        return frozenset(row["rule"] for row in rows)

    async def escalation(self, escalation_id: int) -> Escalation | None:
        """Return an escalation; a writing transaction holds the row until its end."""
        return await self._first(ESCALATION, escalation_id=escalation_id)

    async def open_escalations(self, patient_id: int) -> list[Escalation]:
        """Return a patient's escalations that are not closed, oldest first."""
        known = self._known.get((ALL, patient_id))
        if known is not None:
            return [row for row in known if row.is_open]
        return await self._ask(OPEN, patient_id=patient_id)

    async def escalations(self, patient_id: int, since: datetime | None = None) -> list[Escalation]:
        """Return a patient's escalations raised since a moment, or all, oldest first."""
        if since is None:
            return await self._ask(ALL, patient_id=patient_id)
        return await self._ask(SINCE, patient_id=patient_id, since=since)

    async def change_escalation(self, escalation_id: int, **fields: object) -> None:
        """Change fields of an escalation by name; TypeError for an unknown name."""
        values = checked(escalation, fields, FIXED)
        await self._run(update(escalation).where(escalation.c.id == escalation_id).values(values))

    async def note_event(self, escalation_id: int, what: str, at: datetime, detail: str = "") -> None:
        """Add one thing that happened to an escalation."""
        await self._run(
            escalation_event.insert().values(escalation_id=escalation_id, what=what, at=at, detail=detail)
        )

    async def events(self, escalation_id: int) -> list[EscalationEvent]:
        """Return all that happened to an escalation, oldest first."""
        rows = await self._all(
            select(escalation_event)
            .where(escalation_event.c.escalation_id == escalation_id)
            .order_by(escalation_event.c.id)
        )
        return [made(EscalationEvent, row) for row in rows]

    async def ask(
        self,
        patient_id: int,
        night: date,
        because: str,
        rules: tuple[str, ...],
        about_other: bool,
        origin: str,
        now: datetime,
        codes: tuple[str, ...] = (),
    ) -> tuple[Asking, bool]:
        """Put an exact question once for its reason and *origin*; return it and whether it is new.

        *codes* are the evidence that led to it.
        """
        row = await self._one(
            self._insert(asking)
            .values(
                patient_id=patient_id,
                night=night,
                because=because,
                rules=rules,
                about_other=about_other,
                asked_at=now,
                origin=origin,
                codes=codes,
            )
            .on_conflict_do_nothing()
            .returning(asking)
        )
        if row is not None:
            return made(Asking, row), True
        same = select(asking).where(
            asking.c.patient_id == patient_id, asking.c.because == because, asking.c.origin == origin
        )
        return made(Asking, (await self._run(same)).mappings().one()), False

    async def asking(self, asking_id: int) -> Asking | None:
        """Return an exact question."""
        return await self._first(ASKING, asking_id=asking_id)

    async def open_askings(self, patient_id: int) -> list[Asking]:
        """Return a patient's exact questions that have no answer, oldest first."""
        return await self._ask(OPEN_ASKINGS, patient_id=patient_id)

    async def askings(self, patient_id: int, since: date) -> list[Asking]:
        """Return a patient's exact questions about nights since one, answered or not, oldest first."""
        return await self._ask(ASKINGS, patient_id=patient_id, since=since)

    async def answer_asking(self, asking_id: int, answer: str, now: datetime) -> bool:
        """Answer an exact question; False if it has an answer already."""
        answered = await self._run(
            update(asking)
            .where(asking.c.id == asking_id, asking.c.answered_at.is_(None))
            .values(answer=answer, answered_at=now)
        )
        return answered.rowcount == 1
