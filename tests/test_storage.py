"""The storage keeps what it is told, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import OperationalError

from bot.messages import Fate
from bot.model import (
    CheckIn,
    Episode,
    Evening,
    Finding,
    Kind,
    Origin,
    Patient,
    ProfileAnswer,
    State,
    Times,
)
from bot.storage import grouping, migrating
from bot.storage.database import Database, StorageError
from bot.storage.sendings import MOST_DUE, Backlog
from bot.storage.store import Store
from bot.storage.tables import metadata
from content.schema import Level
from tests.servers import fresh_database

NOW = datetime(2025, 3, 1, 20, 0, tzinfo=UTC)
NIGHT = date(2025, 3, 1)
TIMES = Times(time(21, 0), time(7, 30), time(22, 0), time(7, 0))
MINUTE = timedelta(minutes=1)
NOTHING_DUE = {"due": 0, "claimed": 0, "sending": 0, "unknown": 0}
CLOT = Finding("E1", Level.EMERGENCY, "clot", "left", ("swollen", "warm"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as database:
        yield database


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(f"sqlite:///{tmp_path / 'quietlegs.db'}") as database:
        yield database


@pytest.fixture
async def patient(database: Database) -> Patient:
    async with database.transaction() as store:
        return await store.add_patient(5, "en", TIMES, NOW)


@contextlib.asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


# --- patients ------------------------------------------------------------------------------------------


async def test_a_patient_is_added_once(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        again = await store.add_patient(5, "de", TIMES, NOW + MINUTE)
        assert (again, await store.count_patients()) == (patient, 1)


async def test_a_moment_in_any_zone_comes_back_as_the_same_moment_in_utc(
    database: Database, patient: Patient
) -> None:
    berlin = datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    async with database.transaction() as store:
        changed = await store.change_patient(
            patient.id, stopped_at=berlin, zone="Europe/Berlin", prompt_at=time(0, 30)
        )
    async with database.reading() as store:
        after = await store.patient(patient.id)
    assert after is not None
    assert after == changed
    assert after.stopped_at == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert after.stopped_at.utcoffset() == timedelta()
    assert (after.zone, after.times) == ("Europe/Berlin", replace(TIMES, prompt_at=time(0, 30)))


async def test_a_moment_without_a_zone_is_refused(database: Database, patient: Patient) -> None:
    with pytest.raises(StorageError):
        async with database.transaction() as store:
            await store.change_patient(patient.id, stopped_at=datetime(2025, 3, 1, 12))  # noqa: DTZ001


async def test_a_field_that_does_not_exist_or_never_changes_is_refused(
    database: Database, patient: Patient
) -> None:
    for fields in ({"mood": 1}, {"chat_id": 6}):
        with pytest.raises(TypeError):
            async with database.transaction() as store:
                await store.change_patient(patient.id, **fields)


async def test_consent_is_recorded_and_its_end_too(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.record_consent(patient.id, "v1", NOW)
        given = await store.patient(patient.id)
        await store.withdraw_consent(patient.id, NOW + MINUTE)
        ended = await store.patient(patient.id)
    assert given is not None and ended is not None  # noqa: PT018
    assert (given.consent_at, given.consent_version, ended.consent_at) == (NOW, "v1", None)


async def test_a_profile_answer_replaces_the_one_before_and_can_be_unknown_again(
    database: Database, patient: Patient
) -> None:
    answer = ProfileAnswer("cast", yes=True, side="left", since=NIGHT, ask_again_on=date(2025, 4, 1))
    async with database.transaction() as store:
        await store.set_profile(patient.id, ProfileAnswer("cast", yes=False), NOW)
        await store.set_profile(patient.id, answer, NOW)
        assert await store.profile(patient.id) == {"cast": answer}
        await store.clear_profile(patient.id, "cast")
        assert await store.profile(patient.id) == {}


async def test_an_erased_patient_leaves_no_row_in_any_table(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        other = await store.add_patient(6, "en", TIMES, NOW)
        await fill(store, other.id, 6)
    before = await counts(database)
    async with database.transaction() as store:
        await fill(store, patient.id, 5)
    full = await counts(database)
    theirs = {"consent", "profile_answer", "checkin", "correction", "evening", "evening_piece", "episode"}
    theirs |= {"escalation", "escalation_event", "asking", "sending", "inbox", "patient"}
    assert theirs == set(metadata.tables) - {"budget", "invite", "receipt", "lease", "meta"}

    async with database.transaction() as store:
        erased = await store.erase_patient(patient.id)

    assert set(erased) == theirs
    assert await counts(database) == {**before, "patient": 1}
    assert all(full[name] - before[name] == rows for name, rows in erased.items() if name != "patient")
    async with database.transaction() as store:
        assert await store.erase_patient(patient.id) == {}
        assert (await store.add_patient(5, "en", TIMES, NOW)).id not in (patient.id, other.id)


async def fill(store: Store, patient_id: int, chat_id: int) -> None:
    await store.record_consent(patient_id, "v1", NOW)
    await store.set_profile(patient_id, ProfileAnswer("cast", yes=True), NOW)
    before = await store.open_checkin(patient_id, NIGHT, Origin.PROMPTED, "1", NOW)
    told = replace(before, pain=3)
    await store.save_checkin(patient_id, before, told, NOW, Origin.PROMPTED)
    await store.save_checkin(patient_id, told, replace(told, pain=4), NOW, Origin.PROMPTED)
    await store.save_evening(patient_id, Evening(NIGHT, ("calf", "drink")), NOW)
    await store.add_episode(patient_id, NIGHT, NOW, "u:1")
    escalation, _ = await store.raise_escalation(patient_id, CLOT, NIGHT, False, "u:1", "Call", "1", NOW)
    await store.note_event(escalation.id, "raised", NOW)
    await store.ask(patient_id, NIGHT, "leg", ("E1", "U1"), False, "u:1", NOW)
    await store.plan(patient_id, Kind.CARD, f"escalation:{escalation.id}", 0, NOW)
    await store.keep_updates([(chat_id * 10, chat_id, "it hurts")], NOW)


async def counts(database: Database) -> dict[str, int]:
    async with database.reading() as store:
        return {
            name: (await store._run(select(func.count()).select_from(table))).scalar_one()
            for name, table in metadata.tables.items()
        }


# --- nights --------------------------------------------------------------------------------------------


async def test_a_check_in_comes_back_as_it_was_saved(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        before = await store.open_checkin(patient.id, NIGHT, Origin.PROMPTED, "7", NOW)
        assert await store.open_checkin(patient.id, NIGHT, Origin.LATE, "8", NOW + MINUTE) == before
        after = CheckIn(
            NIGHT, 7, ("cramp", "burning"), "both", "an_hour", ("stretch",), "minutes",
            {"swollen": "yes", "chest": "unsure"}, "lot", "mild", frozenset({"pain", "signs"}),
            frozenset({"side"}), Origin.PROMPTED, NOW, NOW + MINUTE, "7", 2**40, "a note, with a comma",
            "some_days", "not_at_all", frozenset({"interest"}),
        )  # fmt: skip
        await store.save_checkin(patient.id, before, after, NOW, Origin.PROMPTED)
        await store.place_checkin(patient.id, NIGHT, 2**41)
        after = replace(after, message_id=2**41)
    async with database.reading() as store:
        assert await store.checkin(patient.id, NIGHT) == after
        assert await store.diary(patient.id, NIGHT, NIGHT) == [after]
        assert await store.corrections(patient.id, NIGHT) == []
        assert await store.diary(patient.id, NIGHT + timedelta(days=1), date(2025, 4, 1)) == []


async def test_a_correction_keeps_the_old_value(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        empty = await store.open_checkin(patient.id, NIGHT, Origin.PROMPTED, "1", NOW)
        told = replace(empty, pain=3, signs={"swollen": "yes"}, side="left", done=frozenset({"side"}))
        await store.save_checkin(patient.id, empty, told, NOW, Origin.PROMPTED)
        changed = replace(told, pain=8, signs={}, side=None)
        await store.save_checkin(patient.id, told, changed, NOW + MINUTE, Origin.LATE)
        kept = await store.corrections(patient.id, NIGHT)
    assert [(row.question, row.old, row.new) for row in kept] == [
        ("pain", "3", "8"),
        ("signs", "swollen=yes", ""),
        ("side", "left", ""),
    ]
    assert {(row.at, row.origin) for row in kept} == {(NOW + MINUTE, Origin.LATE)}


async def test_one_more_tap_on_an_open_question_is_no_correction(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        empty = await store.open_checkin(patient.id, NIGHT, Origin.PROMPTED, "1", NOW)
        skipped = replace(empty, done=frozenset({"pain"}), skipped=frozenset({"pain"}))
        one = replace(skipped, helped=("walk",), signs={"swollen": "yes"}, pain=2, skipped=frozenset())
        two = replace(one, helped=("walk", "heat"), signs={"swollen": "yes", "chest": "yes"})
        for before, after in ((empty, skipped), (skipped, one), (one, two)):
            await store.save_checkin(patient.id, before, after, NOW, Origin.PROMPTED)
        assert await store.corrections(patient.id, NIGHT) == []
        done = replace(two, done=frozenset({"helped"}))
        await store.save_checkin(patient.id, done, replace(done, helped=("walk",)), NOW, Origin.PROMPTED)
        assert [row.old for row in await store.corrections(patient.id, NIGHT)] == ["walk,heat"]


async def test_an_answer_to_a_check_in_that_was_never_opened_is_refused(
    database: Database, patient: Patient
) -> None:
    with pytest.raises(StorageError, match="never opened"):
        async with database.transaction() as store:
            await store.save_checkin(patient.id, CheckIn(NIGHT), CheckIn(NIGHT, 3), NOW, Origin.LATE)


async def test_an_evening_remembers_its_pieces_and_when_each_was_shown_last(
    database: Database, patient: Patient
) -> None:
    first, second = Evening(NIGHT, ("calf", "drink")), Evening(NIGHT + timedelta(days=1), ("drink",))
    done = replace(first, done=frozenset({"calf"}), declined=True, message_id=9)
    async with database.transaction() as store:
        for shown in (first, second, done):
            await store.save_evening(patient.id, shown, NOW)
        assert await store.evening(patient.id, NIGHT) == done
        assert await store.evenings(patient.id, NIGHT, second.night) == [done, second]
        assert await store.shown_pieces(patient.id, NIGHT) == {"calf": NIGHT, "drink": second.night}
        await store.save_evening(patient.id, replace(done, pieces=("heel",)), NOW)
        assert await store.shown_pieces(patient.id, NIGHT) == {"heel": NIGHT, "drink": second.night}
        assert await store.evening(patient.id, NIGHT - timedelta(days=1)) is None


async def test_one_press_is_one_episode(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        cramp = await store.add_episode(patient.id, NIGHT, NOW, "u:1")
        assert await store.add_episode(patient.id, NIGHT, NOW + MINUTE, "u:1") == cramp
        await store.add_episode(patient.id, NIGHT, NOW + MINUTE, "u:2")
        await store.change_episode(cramp.id, side="left", pain=6)
        known = await store.episodes(patient.id, NIGHT)
        assert known[0] == Episode(cramp.id, NIGHT, NOW, "left", None, 6)
        assert len(known) == 2
        assert await store.episode(cramp.id) == (patient.id, known[0])


# --- escalations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("finding", [CLOT, replace(CLOT, side=None)])
async def test_an_escalation_is_raised_once_for_its_origin(
    database: Database, patient: Patient, finding: Finding
) -> None:
    async with database.transaction() as store:
        first, new = await store.raise_escalation(patient.id, finding, NIGHT, False, "u:1", "Call", "v", NOW)
        again, fresh = await store.raise_escalation(patient.id, finding, NIGHT, False, "u:1", "No", "v", NOW)
        assert (new, fresh, again) == (True, False, first)
        assert (first.level, first.evidence, first.side) == (Level.EMERGENCY, finding.evidence, finding.side)
        _, other = await store.raise_escalation(patient.id, finding, NIGHT, True, "u:2", "Call", "v", NOW)
        assert other


async def test_an_escalation_keeps_what_came_of_it(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        row, _ = await store.raise_escalation(patient.id, CLOT, NIGHT, False, "u:1", "Call", "v", NOW)
        await store.note_event(row.id, "raised", NOW)
        await store.note_event(row.id, "told", NOW + MINUTE, "5")
        assert await store.open_escalations(patient.id) == [row]
        await store.change_escalation(row.id, closed_at=NOW + MINUTE, outcome="seen")
        assert await store.open_escalations(patient.id) == []
        closed = await store.escalation(row.id)
        assert closed == replace(row, closed_at=NOW + MINUTE, outcome="seen")
        assert await store.escalations(patient.id, NOW) == [closed]
        assert await store.escalations(patient.id, NOW + MINUTE) == []
        assert [(event.what, event.detail) for event in await store.events(row.id)] == [
            ("raised", ""),
            ("told", "5"),
        ]


async def test_an_exact_question_is_put_once_and_answered_once(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        asked, new = await store.ask(patient.id, NIGHT, "leg", ("E1", "U1"), False, "u:1", NOW)
        assert new
        assert await store.ask(patient.id, NIGHT, "leg", ("E1",), False, "u:1", NOW) == (asked, False)
        assert await store.open_askings(patient.id) == [asked]
        assert await store.answer_asking(asked.id, "E1", NOW)
        assert not await store.answer_asking(asked.id, "no", NOW)
        assert await store.open_askings(patient.id) == []
        after = await store.asking(asked.id)
        assert after == replace(asked, answered_at=NOW, answer="E1")


# --- sendings ------------------------------------------------------------------------------------------


async def test_a_sending_moves_while_it_is_ready_and_never_after_it_was_tried(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        assert await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW + MINUTE)
        assert await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW, NOW + MINUTE)
        assert await store.next_due_at() == NOW
        (row,) = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        assert (row.due_at, row.useful_until, row.state) == (NOW, NOW + MINUTE, State.CLAIMED)
        assert not await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW + MINUTE)
        await store.finish_sending(row.id, State.DROPPED, NOW, "late")
        assert not await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW + MINUTE)
        assert await store.next_due_at() is None


async def test_a_withdrawn_sending_can_be_planned_again(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW)
        await store.plan(patient.id, Kind.CHECKIN, "2025-03-01", 0, NOW)
        await store.plan(patient.id, Kind.CARD, "escalation:1", 0, NOW)
        assert await store.drop_ready(patient.id, (Kind.PROMPT, Kind.CHECKIN), "replanned") == 2
        assert await store.counts_by_state() == {State.READY: 1, State.DROPPED: 2}
        assert await store.plan(patient.id, Kind.PROMPT, "2025-03-01", 0, NOW + MINUTE)
        assert await store.drop_ready(patient.id, None, "gone", subject="escalation:1") == 1
        assert not await store.plan(patient.id, Kind.CARD, "escalation:1", 0, NOW)
        (row,) = await store.sending_for(patient.id, Kind.PROMPT, "2025-03-01")
        assert await store.waiting(patient.id) == [row]
        assert (row.state, row.reason, row.due_at) == (State.READY, "", NOW + MINUTE)


async def test_what_was_put_off_is_late_since_it_was_due_at_first(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        assert await store.backlog(NOW) == Backlog(NOTHING_DUE, None)
        await store.plan(patient.id, Kind.PROMPT, "ahead", 0, NOW + MINUTE)
        assert await store.backlog(NOW) == Backlog(NOTHING_DUE, None)
        await store.plan(patient.id, Kind.CHECKIN, "due", 0, NOW - MINUTE)
        await store.plan(patient.id, Kind.CARD, "due", 0, NOW)
        assert await store.backlog(NOW) == Backlog({**NOTHING_DUE, "due": 2}, NOW - MINUTE)
        card, checkin = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        await store.start_sendings([card.id], "a", NOW + MINUTE, NOW)
        begun = {**NOTHING_DUE, "claimed": 1, "sending": 1}
        assert await store.backlog(NOW) == Backlog(begun, None)
        await store.retry_sending(card.id, NOW + 5 * MINUTE, Fate.WAIT, "a")
        assert await store.backlog(NOW + MINUTE / 2) == Backlog({**NOTHING_DUE, "claimed": 1}, NOW)
        await store.retry_sending(checkin.id, NOW, Fate.BLOCKED, "a")
        assert (await store.backlog(NOW)).oldest_due_at == NOW
        assert await store.take_over(NOW + 2 * MINUTE) == (0, 0)


async def test_one_of_unknown_fate_is_in_the_backlog_until_it_is_decided(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.PROMPT, "a", 0, NOW)
        (row,) = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        await store.start_sendings([row.id], "a", NOW + MINUTE, NOW)
        assert await store.take_over(NOW + 2 * MINUTE) == (0, 1)
        assert await store.backlog(NOW) == Backlog({**NOTHING_DUE, "unknown": 1}, None)
        await store.finish_sending(row.id, State.UNKNOWN, NOW)
        assert await store.backlog(NOW) == Backlog(NOTHING_DUE, None)


async def plan_of(database: Database, ask: Callable[[Store], Awaitable[object]]) -> list[str]:
    """Return how SQLite goes about the one question that *ask* puts."""
    asked: list[str] = []
    async with database.transaction() as store:
        assert store._driver is not None
        store._driver.set_trace_callback(asked.append)
        await ask(store)
        store._driver.set_trace_callback(None)
        (query,) = [one for one in asked if one.startswith(("SELECT", "WITH"))]
        return [str(row[3]) for row in store._driver.execute(f"EXPLAIN QUERY PLAN {query}")]


async def test_the_backlog_is_read_from_indexes_alone(sqlite: Database) -> None:
    plan = await plan_of(sqlite, lambda store: store.backlog(NOW))
    looks = [line for line in plan if re.search(r"\bsending\b", line)]
    assert len(looks) == 7
    assert all("INDEX ix_sending_" in line for line in looks), plan


@pytest.mark.postgres
async def test_the_backlog_is_read_from_indexes_on_a_server_too(postgres_database: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, given: Any, ___: object, ____: object) -> None:
        asked.append((statement, given))

    async with opened(postgres_database) as database:
        async with database.transaction() as store:
            patient = await store.add_patient(5, "en", TIMES, NOW)
        with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as server:
            server.execute(
                "INSERT INTO sending (patient_id, kind, subject, step, rank, due_at, state, attempts, reason)"
                " SELECT %s, 'prompt', n::text, 0, 1, %s - abs(hashint4(n)) %% 9999 * interval '1 second',"
                " CASE WHEN n %% 3 = 0 THEN 'ready' ELSE 'told' END, 0, '' FROM generate_series(1, 60000) n",
                (patient.id, NOW),
            )
            server.execute("ANALYZE sending")
            event.listen(Engine, "before_cursor_execute", note)
            try:
                async with database.reading() as store:
                    assert (await store.backlog(NOW)).by_state["due"] == MOST_DUE
            finally:
                event.remove(Engine, "before_cursor_execute", note)
            ((query, given),) = asked
            plan = [row[0] for row in server.execute(f"EXPLAIN {query}", given)]
    assert not [line for line in plan if "Seq Scan on sending" in line], plan


async def test_what_is_due_is_claimed_in_the_order_of_its_index(sqlite: Database) -> None:
    plan = await plan_of(sqlite, lambda store: store.claim_due(NOW, "a", NOW, 5, safety_only=True))
    assert any("ix_sending_ready (rank=? AND due_at<?)" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan


async def test_fates_that_were_decided_cost_the_tick_nothing(sqlite: Database) -> None:
    plan = await plan_of(sqlite, lambda store: store.unknown_sendings(5))
    assert plan == ["SCAN sending USING INDEX ix_sending_undecided"]


async def test_safety_is_claimed_first(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.PROMPT, "a", 0, NOW - MINUTE)
        await store.plan(patient.id, Kind.CARD, "b", 0, NOW)
        await store.plan(patient.id, Kind.CARD, "later", 0, NOW + MINUTE)
        assert [row.kind for row in await store.claim_due(NOW, "a", NOW + MINUTE, 1)] == [Kind.CARD]
        assert await store.claim_due(NOW, "a", NOW + MINUTE, 5, safety_only=True) == []
        assert [row.subject for row in await store.claim_due(NOW, "a", NOW + MINUTE, 5)] == ["a"]


async def test_one_patients_sendings_can_be_claimed(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        other = await store.add_patient(6, "en", TIMES, NOW)
        for person in (patient, other):
            await store.plan(person.id, Kind.CARD, "a", 0, NOW)
        claimed = await store.claim_due(NOW, "a", NOW + MINUTE, 5, safety_only=True, patient_id=other.id)
    assert [row.patient_id for row in claimed] == [other.id]


async def test_a_prompt_of_unknown_fate_is_decided_once_and_a_card_until_it_is_told(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        for kind in (Kind.PROMPT, Kind.CARD):
            await store.plan(patient.id, kind, "a", 0, NOW)
        rows = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        for row in rows:
            await store.start_sendings([row.id], "a", NOW + MINUTE, NOW)
        assert await store.take_over(NOW + MINUTE) == (0, 2)
        assert [row.kind for row in await store.unknown_sendings(5)] == [Kind.CARD, Kind.PROMPT]
        for row in rows:
            await store.finish_sending(row.id, State.UNKNOWN, NOW)
        assert [row.kind for row in await store.unknown_sendings(5)] == [Kind.CARD]


async def test_without_safety_first_the_oldest_is_claimed(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.PROMPT, "a", 0, NOW - MINUTE)
        await store.plan(patient.id, Kind.CARD, "b", 0, NOW)
        claimed = await store.claim_due(NOW, "a", NOW + MINUTE, 1, safety_first=False)
    assert [row.subject for row in claimed] == ["a"]


async def test_no_two_claim_the_same_sending(database_url: str) -> None:
    async with opened(database_url) as first, opened(database_url) as second, opened(database_url) as third:
        async with first.transaction() as store:
            patient = await store.add_patient(5, "en", TIMES, NOW)
            for step in range(90):
                await store.plan(patient.id, Kind.PROMPT, "night", step, NOW)

        async def claim(database: Database, owner: str) -> list[int]:
            mine: list[int] = []
            while True:
                async with database.transaction() as store:
                    claimed = await store.claim_due(NOW, owner, NOW + MINUTE, 7)
                if not claimed:
                    return mine
                mine += [row.id for row in claimed]

        replicas = [(database, f"{at}") for at, database in enumerate((first, second, third) * 2)]
        claims = await asyncio.gather(*(claim(*replica) for replica in replicas))
    every = [number for mine in claims for number in mine]
    assert len(every) == len(set(every)) == 90


async def test_a_lease_that_ran_out_is_taken_over(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.CARD, "a", 0, NOW)
        await store.plan(patient.id, Kind.CARD, "b", 0, NOW)
        first, second = await store.claim_due(NOW, "dead", NOW + MINUTE, 5)
        assert await store.start_sendings([second.id], "dead", NOW + MINUTE, NOW)
        assert await store.take_over(NOW) == (0, 0)
        assert await store.take_over(NOW + MINUTE) == (1, 1)
        assert [row.id for row in await store.unknown_sendings(5)] == [second.id]
        assert [row.id for row in await store.claim_due(NOW, "b", NOW + 2 * MINUTE, 5)] == [first.id]
        assert not await store.start_sendings([first.id], "dead", NOW + MINUTE, NOW)
        assert not await store.start_sendings([first.id], "b", NOW + MINUTE, NOW + 2 * MINUTE)
        assert await store.start_sendings([first.id], "b", NOW + 2 * MINUTE, NOW + MINUTE)
        assert await store.retry_sending(second.id, NOW + MINUTE, "again")
        assert not await store.retry_sending(second.id, NOW, "is ready")


async def test_a_replica_that_slept_has_no_say_in_what_another_took_over(
    database: Database, patient: Patient
) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.PROMPT, "a", 0, NOW)
        (row,) = await store.claim_due(NOW, "slept", NOW + MINUTE, 5)
        await store.take_over(NOW + MINUTE)
        assert not await store.retry_sending(row.id, NOW, "woke late", "slept")
        assert await store.claim_due(NOW, "b", NOW + 3 * MINUTE, 5)
        assert await store.start_sendings([row.id], "b", NOW + 3 * MINUTE, NOW + MINUTE)
        assert not await store.retry_sending(row.id, NOW, "woke late", "slept")
        assert not await store.finish_sending(row.id, State.DROPPED, NOW, "too late", owner="slept")
        assert await store.finish_sending(row.id, State.TOLD, NOW, message_id=7, owner="slept")  # it knows


async def test_what_was_told_stays_told(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        await store.plan(patient.id, Kind.CARD, "a", 0, NOW)
        (row,) = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        assert await store.finish_sending(row.id, State.TOLD, NOW, message_id=2**40)
        assert not await store.finish_sending(row.id, State.UNKNOWN, NOW)
        told = await store.sending(row.id)
        assert told is not None
        assert (told.state, told.message_id, told.lease_until) == (State.TOLD, 2**40, None)
        assert await store.sendings_of(patient.id, 5) == [told]
        assert (await store.prune_sendings(NOW))[0] == 0
        assert (await store.prune_sendings(NOW + MINUTE))[0] == 1


# --- inbox and house -----------------------------------------------------------------------------------


async def test_an_update_is_new_once(database: Database) -> None:
    async with database.transaction() as store:
        assert await store.keep_updates([(2, 5, "b"), (1, None, "a"), (2, 5, "b")], NOW) == [2, 1]
        assert await store.keep_updates([(2, 5, "b"), (3, 5, "c")], NOW + MINUTE) == [3]
        assert await store.keep_updates([], NOW) == []
        await store.updates_done([1], NOW)
        assert await store.undone_updates() == [(2, 5, "b"), (3, 5, "c")]
        assert [await store.update_failed(2, NOW) for _ in range(2)] == [1, 2]
        assert await store.update_failed(99, NOW) == 0
        payload = await store._run(text("SELECT payload FROM inbox WHERE update_id = 1"))
        assert payload.scalar_one() == ""
        assert (await store.prune_inbox(NOW + MINUTE))[0] == 1


async def test_what_is_long_over_is_forgotten_in_parts(database: Database, patient: Patient) -> None:
    async with database.transaction() as store:
        for step in range(5):
            await store.plan(patient.id, Kind.PROMPT, "a", step, NOW)
        rows = await store.claim_due(NOW, "a", NOW + MINUTE, 5)
        for row in rows[:4]:
            await store.finish_sending(row.id, State.TOLD, NOW)
        gone, after = await store.prune_sendings(NOW + MINUTE, most=3)
        assert (gone, after) == (3, rows[2].id)
        assert await store.prune_sendings(NOW + MINUTE, rows[2].id, most=3) == (1, rows[4].id)
        assert await store.prune_sendings(NOW + MINUTE, rows[4].id) == (0, None)
        assert [row.id for row in await store.sendings_of(patient.id, 5)] == [rows[4].id]


async def test_an_invite_lets_in_as_many_as_it_says(database: Database) -> None:
    async with database.transaction() as store:
        assert not await store.has_invites()
        await store.add_invite("hash", "friends", 3, NOW + MINUTE, NOW)

    async def use(at: datetime) -> bool:
        async with database.transaction() as store:
            good, used = await store.invite_is_good("hash", at), await store.use_invite("hash", at)
            assert good or not used
            return used

    assert not await use(NOW + MINUTE)
    assert sum(await asyncio.gather(*(use(NOW) for _ in range(6)))) == 3
    async with database.transaction() as store:
        (invite,) = await store.invites()
        assert (invite.label, invite.uses, invite.used) == ("friends", 3, 3)
        assert [await store.revoke_invite(invite.id, NOW) for _ in range(2)] == [True, False]
        assert await store.has_invites()


async def test_one_holds_a_lease_at_a_time(database: Database) -> None:
    async with database.transaction() as store:
        assert await store.take_lease("sender", "a", NOW + MINUTE, NOW)
        assert not await store.take_lease("sender", "b", NOW + MINUTE, NOW)
        assert await store.take_lease("sender", "a", NOW + 2 * MINUTE, NOW)
        assert await store.take_lease("sender", "b", NOW + 3 * MINUTE, NOW + 2 * MINUTE)
        await store.leave_lease("sender", "a")
        assert not await store.take_lease("sender", "a", NOW + 9 * MINUTE, NOW)
        await store.leave_lease("sender", "b")
        assert await store.take_lease("sender", "a", NOW + MINUTE, NOW)


async def test_receipts_and_notes_are_kept(database: Database) -> None:
    async with database.transaction() as store:
        await store.leave_receipt("code", {"checkin": 3}, NOW)
        await store.set_meta("offset", "1")
        await store.set_meta("offset", "2")
        kept = await store.receipt("code")
        assert kept is not None
        assert (kept.rows, kept.at, await store.receipt("no")) == ({"checkin": 3}, NOW, None)
        assert (await store.meta("offset"), await store.meta("no")) == ("2", None)


# --- transactions --------------------------------------------------------------------------------------


async def test_no_update_is_lost_between_reading_and_writing(database_url: str) -> None:
    async with opened(database_url) as first, opened(database_url) as second:
        async with first.transaction() as store:
            patient = await store.add_patient(5, "en", TIMES, NOW)
            await store.change_patient(patient.id, expecting="0")

        async def count_up(database: Database) -> None:
            for _ in range(100):
                async with database.transaction() as store:
                    standing = await store.patient(patient.id)
                    assert standing is not None
                    await store.change_patient(patient.id, expecting=str(int(standing.expecting) + 1))

        await asyncio.gather(*(count_up(database) for database in (first, second, first, second, first)))
        async with second.reading() as store:
            after = await store.patient(patient.id)
    assert after is not None
    assert after.expecting == "500"


async def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await set_meta_and_fail(database, "key")
    async with database.reading() as store:
        assert await store.meta("key") is None


async def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError):
        async with database.reading() as store:
            await store.set_meta("key", "value")


async def test_an_error_of_the_database_names_nobodys_answer(database: Database, patient: Patient) -> None:
    with pytest.raises(StorageError) as caught:
        async with database.transaction() as store:
            await store.change_patient(patient.id, language=None, expecting="it hurts")
    assert "hurts" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_failing_body_takes_back_only_its_own_writes(database: Database) -> None:
    writes = [(set_meta if key % 3 else set_meta_and_fail)(database, str(key)) for key in range(30)]
    done = await asyncio.gather(*writes, return_exceptions=True)
    assert [key for key, error in enumerate(done) if error] == list(range(0, 30, 3))
    async with database.reading() as store:
        kept = [key for key in range(30) if await store.meta(str(key))]
    assert kept == [key for key in range(30) if key % 3]


# --- SQLite's shared commits ---------------------------------------------------------------------------


async def test_transactions_that_arrive_together_share_a_commit(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = count_commits(monkeypatch)
    await asyncio.gather(*(set_meta(sqlite, f"{key}") for key in range(20)))
    assert len(commits) <= 3
    assert sum(commits) == 20


async def test_a_transaction_alone_commits_at_once(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = count_commits(monkeypatch)
    order: list[str] = []

    async def write(key: str, alone: bool = False) -> None:
        await set_meta(sqlite, key, alone)
        order.append(key)

    tasks = [asyncio.create_task(write(f"{key}")) for key in range(10)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(write("safety", alone=True)))
    await asyncio.gather(*tasks)
    assert order.index("safety") <= 1  # beside whoever was writing when it came
    assert commits[0] <= 2


async def test_none_returns_before_its_commit(sqlite: Database, tmp_path: Path) -> None:
    missing: list[str] = []

    async def write(key: str) -> None:
        await set_meta(sqlite, key)
        with contextlib.closing(sqlite3.connect(tmp_path / "quietlegs.db")) as other:
            if not other.execute("SELECT 1 FROM meta WHERE key = ?", (key,)).fetchone():
                missing.append(key)

    await asyncio.gather(*(write(f"{key}") for key in range(20)))
    assert missing == []


async def test_a_commit_that_fails_fails_every_member(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(group: grouping.Group) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(grouping, "_commit", fail)
        writes = [set_meta(sqlite, f"{key}") for key in range(5)]
        errors = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(error) for error in errors] == [StorageError] * 5
    await set_meta(sqlite, "after")
    async with sqlite.reading() as store:
        assert [await store.meta(key) for key in ("0", "4", "after")] == [None, None, "value"]


async def test_who_comes_while_the_file_is_being_closed_is_not_told_that_it_was_kept(
    sqlite: Database,
) -> None:
    async with sqlite.transaction() as store:
        await store.set_meta("before", "value")
        closing = asyncio.create_task(sqlite.close())
        await asyncio.sleep(0)
        late = asyncio.create_task(set_meta(sqlite, "late"))
        await asyncio.sleep(0)
    await closing
    with pytest.raises(StorageError):
        await late
    await sqlite.open()
    async with sqlite.reading() as store:
        assert (await store.meta("before"), await store.meta("late")) == ("value", None)


async def test_a_commit_that_never_began_fails_every_member(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(group: grouping.Group) -> None:
        raise RuntimeError("no thread could be started")

    with monkeypatch.context() as broken:
        broken.setattr(grouping, "_commit", fail)
        errors = await asyncio.gather(*(set_meta(sqlite, key) for key in "ab"), return_exceptions=True)
    assert [type(error) for error in errors] == [StorageError] * 2
    await set_meta(sqlite, "after")


async def test_a_group_that_sqlite_undid_by_itself_fails_every_member(sqlite: Database) -> None:
    async def undo() -> None:
        async with sqlite.transaction() as store:
            await store.set_meta("undone", "value")
            await store._run(text("ROLLBACK"))  # as SQLite does when the disk is full

    errors = await asyncio.gather(
        set_meta(sqlite, "first"), undo(), set_meta(sqlite, "third"), return_exceptions=True
    )
    await set_meta(sqlite, "after")
    async with sqlite.reading() as store:
        kept = {key: await store.meta(key) for key in ("first", "undone", "third", "after")}
    assert kept["undone"] is None
    assert kept["after"] == "value"
    told_so = {key: error is None for key, error in zip(("first", "undone", "third"), errors, strict=True)}
    assert told_so == {key: kept[key] is not None for key in told_so}


async def test_cancelled_transactions_leave_the_others_whole(sqlite: Database) -> None:
    for round_ in range(25):
        tasks = [asyncio.create_task(set_meta(sqlite, f"{round_}.{key}", key == 7)) for key in range(10)]
        for hop in range(round_):
            await asyncio.sleep(0 if hop % 2 else 0.0004)
        for task in tasks[::3]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        async with sqlite.reading() as store:
            for key, error in enumerate(done):
                assert error is None or isinstance(error, asyncio.CancelledError)
                assert error is not None or await store.meta(f"{round_}.{key}") == "value"
    async with asyncio.timeout(5):
        await set_meta(sqlite, "still works")


async def test_a_transaction_cancelled_in_its_body_is_undone(sqlite: Database) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        async with sqlite.transaction() as store:
            await store.set_meta("key", "value")
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await begun.wait()
    waiting = asyncio.create_task(set_meta(sqlite, "next"))
    task.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
    async with sqlite.reading() as store:
        assert (await store.meta("key"), await store.meta("next")) == (None, "value")


async def test_a_transaction_inside_a_transaction_is_refused(sqlite: Database) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        async with sqlite.transaction(), sqlite.transaction():
            pass
    await set_meta(sqlite, "after")


async def set_meta(database: Database, key: str, alone: bool = False) -> None:
    async with database.transaction(alone) as store:
        await store.set_meta(key, "value")


async def set_meta_and_fail(database: Database, key: str) -> None:
    async with database.transaction() as store:
        await store.set_meta(key, "value")
        raise ZeroDivisionError


def count_commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    commits: list[int] = []
    commit = grouping._commit

    def counted(group: grouping.Group) -> None:
        commits.append(group.members)
        commit(group)

    monkeypatch.setattr(grouping, "_commit", counted)
    return commits


async def test_sqlite_is_set_up_to_lose_nothing(sqlite: Database) -> None:
    async with sqlite.transaction() as store:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
        found = [(await store._run(text(f"PRAGMA {pragma}"))).scalar_one() for pragma in pragmas]
    assert found == ["wal", 2, 1, 0, 0]  # who waits for another program does so between tries


async def test_the_indexes_serve_the_tick(sqlite: Database) -> None:
    async with sqlite.transaction() as store:
        due = "SELECT id FROM sending WHERE sending.state = 'ready' AND rank IN (0) AND due_at <= 'x'"
        plan = (await store._run(text(f"EXPLAIN QUERY PLAN {due} ORDER BY due_at LIMIT 5"))).mappings()
        steps = [row["detail"] for row in plan]
    assert steps == ["SEARCH sending USING INDEX ix_sending_ready (rank=? AND due_at<?)"]


# --- opening -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "postgresql://host:port/x"],
)
def test_a_wrong_url_is_refused_with_what_to_write(wrong: str) -> None:
    with pytest.raises(StorageError, match=r"use sqlite:///data/quietlegs\.db or postgresql://"):
        Database(wrong)


async def test_the_file_and_its_folder_are_for_our_eyes_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "down" / "quietlegs.db"
    async with opened(f"sqlite:///{file}") as database:
        await set_meta(database, "key")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "quietlegs.db"
    file.write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(StorageError, match="put a backup in its place"):
        await Database(f"sqlite:///{file}").open()
    assert file.read_bytes().startswith(b"not a database")


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "quietlegs.db"
    async with opened(f"sqlite:///{file}") as database, database.transaction() as store:
        await store.add_patient(5, "en", TIMES, NOW)
    content = bytearray(file.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StorageError, match="put a backup in its place"):
        await Database(f"sqlite:///{file}").open()


async def test_a_large_file_is_looked_over_when_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "quietlegs.db"
    async with opened(f"sqlite:///{file}"):
        pass
    with contextlib.closing(sqlite3.connect(file)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_inbox_undone'")
        (number,) = page.fetchone()
    content = bytearray(file.read_bytes())
    content[(number - 1) * 4096 : number * 4096] = bytes(4096)
    file.write_bytes(content)
    with pytest.raises(StorageError, match="put a backup in its place"):
        await Database(f"sqlite:///{file}").open()
    monkeypatch.setattr(migrating, "SMALL", len(content) - 1)
    async with opened(f"sqlite:///{file}"):
        pass
    with pytest.raises(StorageError, match="put a backup in its place"):
        await Database(f"sqlite:///{file}").open(whole=True)


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        await Database(f"sqlite:///{tmp_path / 'file' / 'quietlegs.db'}").open()


async def test_a_server_that_is_not_there_is_refused() -> None:
    with pytest.raises(StorageError, match="check DATABASE_URL and the server") as caught:
        await Database("postgresql://somebody:secret@127.0.0.1:1/nowhere").open()
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_open_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not open"):
        async with Database(f"sqlite:///{tmp_path / 'x.db'}").transaction():
            pass


OTHERS = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.mark.postgres
async def test_a_connection_that_the_server_closed_is_not_taken(postgres_url: str) -> None:
    with fresh_database(postgres_url) as fresh:
        database = Database(fresh)
        await database.open()
        for value in ("before", "after"):
            async with database.transaction() as store:
                await store.set_meta("there", value)
            async with database.reading() as store:
                assert await store.meta("there") == value
            with psycopg.connect(fresh.replace("+psycopg", ""), autocommit=True) as operator:
                operator.execute(OTHERS)
        await database.close()


@pytest.mark.postgres
async def test_a_transaction_that_fails_on_the_server_leaves_nothing_and_a_good_connection(
    postgres_url: str,
) -> None:
    with fresh_database(postgres_url) as fresh:
        database = Database(fresh)
        await database.open()

        async def fail() -> None:
            async with database.transaction() as store:
                await store.set_meta("half", "done")
                await store.plan(12345, Kind.CARD, "nobody's", 0, NOW)

        for _ in range(3):
            with pytest.raises(StorageError, match="the database refused: ForeignKeyViolation 23503"):
                await fail()
            async with database.transaction() as store:
                assert await store.meta("half") is None
        await database.close()
