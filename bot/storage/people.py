"""Patients, their consent and their safety profile; and their erasure, which leaves nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, select, update

from bot.model import Patient, ProfileAnswer, Times
from bot.shapes import straight
from bot.storage.errors import StorageError
from bot.storage.prepared import Question, columns_of, listed_for_file, listed_for_server
from bot.storage.statements import Statements, checked
from bot.storage.tables import consent, escalation, escalation_event, inbox, metadata, patient, profile_answer

PATIENTS_KEPT = 1024  # as many as answer at about the same time
FIXED = frozenset({"id", "chat_id", "created_at"})
TIMES = ("prompt_at", "checkin_at", "quiet_from", "quiet_until")


OTHERS = tuple(field.name for field in fields(Patient) if field.name != "times")
_patient_of = straight(Patient)
_AT = [field.name for field in fields(Patient)].index("times")


def _patient(prompt_at: time, checkin_at: time, quiet_from: time, quiet_until: time, *others: Any) -> Patient:
    times = Times(prompt_at, checkin_at, quiet_from, quiet_until)
    return _patient_of(*others[:_AT], times, *others[_AT:])


COLUMNS = [patient.c[name] for name in (*TIMES, *OTHERS)]
OF_CHAT = Question(
    _patient,
    select(*COLUMNS).where(patient.c.chat_id == bindparam("chat_id")),
    holds=True,
    keeps=PATIENTS_KEPT,
)
PATIENT = Question(_patient, select(*COLUMNS).where(patient.c.id == bindparam("patient_id")), holds=True)
PATIENTS = Question(
    _patient,
    select(*COLUMNS).where(listed_for_server(patient.c.id, "ids")),
    file_query=select(*COLUMNS).where(listed_for_file(patient.c.id, "ids")),
)
PROFILE = Question(
    ProfileAnswer,
    select(*columns_of(ProfileAnswer, profile_answer))
    .where(profile_answer.c.patient_id == bindparam("patient_id"))
    .order_by(profile_answer.c.flag),
)


class People(Statements):
    """The questions about patients."""

    async def patient_of_chat(self, chat_id: int) -> Patient | None:
        """Return the patient of a chat; a writing transaction holds the row until its end."""
        return await self._first(OF_CHAT, chat_id=chat_id)

    async def patient(self, patient_id: int) -> Patient | None:
        """Return a patient; a writing transaction holds the row until its end."""
        return await self._first(PATIENT, patient_id=patient_id)

    async def patients(self, patient_ids: Collection[int]) -> dict[int, Patient]:
        """Return patients by their ids; held by nobody."""
        return {one.id: one for one in await self._answers(PATIENTS, {"ids": [*patient_ids]})}

    async def add_patient(self, chat_id: int, language: str, times: Times, now: datetime) -> Patient:
        """Add the patient of a chat, who is at no step of enrolment yet, or return the one there is."""
        row = await self._one(
            self._insert(patient)
            .values(
                chat_id=chat_id,
                language=language,
                step="",
                expecting="",
                silent=False,
                consent_version="",
                created_at=now,
                zone_country_asked=False,
                **{name: getattr(times, name) for name in TIMES},
            )
            .on_conflict_do_nothing()
            .returning(*COLUMNS)
        )
        if row is None:
            row = (await self._run(select(*COLUMNS).where(patient.c.chat_id == chat_id))).mappings().one()
        return _patient(*row.values())

    async def change_patient(self, patient_id: int, **fields: object) -> Patient:
        """Change fields of a patient by name, the four times by theirs, and return the patient after it.

        A name that may not change raises TypeError, a patient who was erased StorageError.
        """
        values = checked(patient, fields, FIXED)
        row = await self._one(
            update(patient).where(patient.c.id == patient_id).values(values).returning(*COLUMNS)
        )
        if row is None:
            raise StorageError("a patient was changed after being erased")
        return _patient(*row.values())

    async def record_consent(self, patient_id: int, version: str, now: datetime) -> None:
        """Record that a patient agreed to a version of the consent text."""
        await self._run(consent.insert().values(patient_id=patient_id, version=version, at=now))
        await self.change_patient(patient_id, consent_at=now, consent_version=version)

    async def withdraw_consent(self, patient_id: int, now: datetime) -> None:
        """Record that a patient's consent ended; what was agreed stays on record until erasure."""
        await self._run(
            update(consent)
            .where(consent.c.patient_id == patient_id, consent.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now)
        )
        await self.change_patient(patient_id, consent_at=None)

    async def erase_patient(self, patient_id: int) -> dict[str, int]:
        """Delete everything of a patient, and the chat's updates; return the rows deleted by table."""
        row = await self._one(select(patient.c.chat_id).where(patient.c.id == patient_id))
        if row is None:
            return {}
        theirs = select(escalation.c.id).where(escalation.c.patient_id == patient_id)
        erased = {
            "inbox": await self._delete(inbox, inbox.c.chat_id == row["chat_id"]),
            "escalation_event": await self._delete(
                escalation_event, escalation_event.c.escalation_id.in_(theirs)
            ),
        }
        for table in reversed(metadata.sorted_tables):
            if "patient_id" in table.c:
                erased[table.name] = await self._delete(table, table.c.patient_id == patient_id)
        erased["patient"] = await self._delete(patient, patient.c.id == patient_id)
        return {name: rows for name, rows in erased.items() if rows}

    async def latest_patient(self) -> Patient | None:
        """Return the patient who came last."""
        row = await self._one(select(*COLUMNS).order_by(patient.c.id.desc()).limit(1))
        return None if row is None else _patient(*row.values())

    async def count_patients(self) -> int:
        """Return how many patients there are."""
        return int((await self._run(select(func.count()).select_from(patient))).scalar_one())

    async def profile(self, patient_id: int) -> dict[str, ProfileAnswer]:
        """Return the answered profile questions by flag; what is absent is unknown."""
        return {answer.flag: answer for answer in await self._ask(PROFILE, patient_id=patient_id)}

    async def set_profile(self, patient_id: int, answer: ProfileAnswer, now: datetime) -> None:
        """Keep one profile answer in place of an earlier one."""
        values: dict[str, Any] = {
            "yes": answer.yes,
            "side": answer.side,
            "since": answer.since,
            "until": answer.until,
            "ask_again_on": answer.ask_again_on,
            "answered_at": now,
        }
        await self._run(
            self._insert(profile_answer)
            .values(patient_id=patient_id, flag=answer.flag, **values)
            .on_conflict_do_update(index_elements=["patient_id", "flag"], set_=values)
        )

    async def clear_profile(self, patient_id: int, flag: str) -> None:
        """Make one profile question unknown again."""
        await self._delete(
            profile_answer, (profile_answer.c.patient_id == patient_id) & (profile_answer.c.flag == flag)
        )

    async def _delete(self, table: Table, which: ColumnElement[bool]) -> int:
        return (await self._run(delete(table).where(which))).rowcount
