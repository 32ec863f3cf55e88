"""What is read and written for many patients together is what would be for each alone, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.model import CheckIn, Evening, Finding, Kind, Origin, ProfileAnswer, State, Times
from bot.storage.company import DiarySpans
from bot.storage.database import Database
from bot.storage.sendings import Planned
from bot.storage.store import Store
from content.schema import Level

NOW = datetime(2025, 3, 20, 20, 0, tzinfo=UTC)
NIGHT = date(2025, 3, 20)
SINCE = NIGHT - timedelta(days=91)
TIMES = Times(time(21, 0), time(7, 30), time(22, 0), time(7, 0))
MINUTE = timedelta(minutes=1)
WORD = "pattern:better"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def people(database: Database) -> list[int]:
    """Three people with a life behind them, each a different one, and a fourth without."""
    ids = []
    async with database.transaction() as store:
        for number in range(4):
            patient = await store.add_patient(5 + number, "en", TIMES, NOW)
            ids.append(patient.id)
            if number == 3:
                continue
            for ago in range(1, 4 + number):
                on = NIGHT - timedelta(days=ago)
                before = await store.open_checkin(patient.id, on, Origin.PROMPTED, "1", NOW)
                more = frozenset({"interest"} if ago == number else ())
                after = replace(before, pain=number, feeling=("cramp",), more=more, done=more)
                await store.save_checkin(patient.id, before, after, NOW, Origin.PROMPTED)
                pieces = (f"drink_{ago}", f"stretch_{number}")
                await store.save_evening(patient.id, Evening(on, pieces, frozenset({"drink"})), NOW)
                await store.add_episode(patient.id, on, NOW, f"u:{number}{ago}")
            await store.set_profile(patient.id, ProfileAnswer("diabetes", yes=number == 1), NOW)
            finding = Finding("E1", Level.EMERGENCY, "clot", "left", ("sign:swollen",))
            row, _ = await store.raise_escalation(patient.id, finding, NIGHT, False, "u:1", "", "1", NOW)
            if number == 2:
                await store.change_escalation(row.id, closed_at=NOW, outcome="seen")
            await store.ask(patient.id, NIGHT, "night", ("E1",), False, f"u:{number}", NOW)
            await store.plan(patient.id, Kind.WORD, WORD, 0, NOW)
            await store.plan(patient.id, Kind.CARD, f"escalation:{row.id}", 0, NOW)
    return ids


async def known_of(store: Store, patient_id: int) -> dict[str, object]:
    """All that a prompt and a check-in ask of one patient."""
    return {
        "patient": await store.patient(patient_id),
        "evening": await store.evening(patient_id, NIGHT - timedelta(days=1)),
        "shown": await store.shown_pieces(patient_id, NIGHT - timedelta(days=2)),
        "open": await store.open_escalations(patient_id),
        "all": await store.escalations(patient_id),
        "profile": await store.profile(patient_id),
        "diary": await store.diary(patient_id, SINCE, NIGHT),
        "evenings": await store.evenings(patient_id, SINCE, NIGHT),
        "episodes": await store.episodes(patient_id, SINCE, NIGHT),
        "open askings": await store.open_askings(patient_id),
        "askings": await store.askings(patient_id, SINCE),
        "words": await store.sending_for(patient_id, Kind.WORD, WORD),
        "owes": await store.owes_safety(patient_id, NOW),
        "checkin": await store.checkin(patient_id, NIGHT),
        "asked": await store.asked_at_times(patient_id, NIGHT - timedelta(days=14)),
    }


async def test_what_is_foreseen_is_what_would_be_answered(database: Database) -> None:
    ids = await people(database)
    async with database.transaction() as store:
        alone = [await known_of(store, patient_id) for patient_id in ids]
    async with database.company() as company:
        await company.foresee_patients(ids)
        yesterday = NIGHT - timedelta(days=1)
        await company.foresee_evenings(ids, yesterday, NIGHT - timedelta(days=2), SINCE)
        await company.foresee_checkins(ids, NIGHT, DiarySpans(SINCE, NIGHT - timedelta(days=14)), [WORD])
        asked = [len(known) for known in company._foreseen.values()]
        together = [await known_of(company, patient_id) for patient_id in ids]
    for one, other in zip(together, alone, strict=True):
        for name, answer in other.items():
            assert one[name] == answer, name
    assert asked == [17] * 4
    assert alone[0] != alone[1] != alone[2]
    assert alone[3]["diary"] == []


async def test_what_is_looked_ahead_at_is_what_would_be_answered(database: Database) -> None:
    ids = await people(database)
    for patient_id in ids:
        async with database.transaction() as store:
            alone = await known_of(store, patient_id)
        async with database.transaction() as store:
            await store.look_ahead(patient_id, NIGHT, SINCE, NIGHT)
            assert await known_of(store, patient_id) == alone


async def test_what_was_looked_ahead_at_is_read_anew_once_it_is_written(database: Database) -> None:
    one, *_ = await people(database)
    on = NIGHT - timedelta(days=1)
    async with database.transaction() as store:
        await store.look_ahead(one, on, SINCE, NIGHT)
        before = await store.checkin(one, on)
        assert before is not None
        after = replace(before, pain=9, signs={"swollen": "yes", "fever": "unsure"})
        await store.save_checkin(one, before, after, NOW, Origin.PROMPTED)
        assert await store.checkin(one, on) == after
        assert (await store.diary(one, SINCE, NIGHT))[-1] == after
        (row, *_) = await store.open_escalations(one)
        await store.change_escalation(row.id, closed_at=NOW, outcome="seen")
        assert row.id not in [other.id for other in await store.open_escalations(one)]
        await store.plan(one, Kind.CARD, "escalation:99", 0, NOW - timedelta(hours=1))
        assert await store.owes_safety(one, NOW)
        await store.drop_ready(one, (Kind.CARD,), "settled")
        assert not await store.owes_safety(one, NOW)
    async with database.reading() as store:
        assert await store.checkin(one, on) == after
        assert [change.new for change in await store.corrections(one, on)] == ["9"]


async def test_what_is_put_off_is_written_and_each_patients_writes_in_their_order(database: Database) -> None:
    ids = await people(database)
    yesterday = NIGHT - timedelta(days=1)
    async with database.company() as company:
        await company.foresee_evenings(ids, yesterday, NIGHT - timedelta(days=2), SINCE)
        for patient_id in reversed(ids):  # the first has nothing to drop, the others have
            await company.save_evening(patient_id, Evening(yesterday, ("a", "b")), NOW)
            await company.save_evening(patient_id, Evening(yesterday, ("c",)), NOW)
            await company.place_evening(patient_id, yesterday, 70 + patient_id)
    async with database.reading() as store:
        for patient_id in ids:
            evening = await store.evening(patient_id, yesterday)
            assert evening == Evening(yesterday, ("c",), message_id=70 + patient_id)


async def test_what_was_written_is_read_anew_of_that_patient(database: Database) -> None:
    first, second, *_ = ids = await people(database)
    async with database.company() as company:
        await company.foresee_checkins(ids, NIGHT, DiarySpans(SINCE, SINCE), [WORD])
        before = await company.diary(second, SINCE, NIGHT)
        opened = await company.open_checkin(first, NIGHT, Origin.PROMPTED, "1", NOW)
        assert opened == CheckIn(NIGHT, origin=Origin.PROMPTED, version="1", opened_at=NOW)
        await company.save_checkin(first, opened, replace(opened, pain=3), NOW, Origin.PROMPTED)
        assert (await company.diary(first, SINCE, NIGHT))[-1].pain == 3
        assert await company.open_checkin(first, NIGHT, Origin.LATE, "2", NOW) == replace(opened, pain=3)
        await company.change_patient(second, expecting="night:2025-03-19")
        assert await company.diary(second, SINCE, NIGHT) == before
        changed = await company.patient(second)
        assert changed is not None
        assert changed.expecting == "night:2025-03-19"


async def test_what_is_foreseen_stays_known_while_another_table_is_written(database: Database) -> None:
    ids = await people(database)
    async with database.company() as company:
        await company.foresee_patients(ids)
        await company.plan_each([Planned(ids[0], Kind.PROMPT, "tonight", 0, NOW, NOW + MINUTE)])
        claimed = await company.claim_due(NOW, "us", NOW + MINUTE, 64)
        await company.foresee_patients(ids)
        known = {patient_id: dict(answers) for patient_id, answers in company._foreseen.items()}
        await company.start_sendings([row.id for row in claimed], "us", NOW + MINUTE, NOW)
        assert company._foreseen == known
        await company.change_patient(ids[0], silent=True)
        changed = await company.patient(ids[0])
        assert changed is not None
        assert changed.silent


async def test_an_error_undoes_all_of_a_company(database: Database) -> None:
    ids = await people(database)

    async def fail() -> None:
        async with database.company() as company:
            for patient_id in ids:
                await company.save_evening(patient_id, Evening(NIGHT, ("a",)), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.reading() as store:
        assert [await store.evening(patient_id, NIGHT) for patient_id in ids] == [None] * 4


async def test_what_is_planned_together_is_told_apart(database: Database) -> None:
    ids = await people(database)

    def planned(subject: str) -> list[Planned]:
        return [Planned(patient_id, Kind.PROMPT, subject, 0, NOW, NOW + MINUTE) for patient_id in ids]

    async with database.company() as store:
        assert await store.plan_each(planned("tonight")) == [True] * 4
        assert await store.plan_each(planned("tonight")) == [True] * 4
        claimed = await store.claim_due(NOW, "us", NOW + MINUTE, 64)
        prompts = [row for row in claimed if row.kind is Kind.PROMPT]
        started = await store.start_sendings([row.id for row in prompts[:2]], "us", NOW + MINUTE, NOW)
        assert started == {row.id for row in prompts[:2]}
        assert (
            await store.start_sendings([row.id for row in prompts], "other", NOW + MINUTE, NOW) == frozenset()
        )
        await store.told_sendings({row.id: 9 for row in prompts[:2]}, NOW)
        told = {row.patient_id for row in prompts[:2]}
        again = await store.plan_each(planned("tonight"))
        assert [patient_id for patient_id, ready in zip(ids, again, strict=True) if ready] == []
        assert await store.plan_each(planned("tomorrow")) == [True] * 4
        states = [
            [(row.subject, row.state) for row in await store.sending_for(patient_id, Kind.PROMPT, "tonight")]
            for patient_id in ids
        ]
        for patient_id, rows in zip(ids, states, strict=True):
            assert rows == [("tonight", State.TOLD if patient_id in told else State.CLAIMED)]
