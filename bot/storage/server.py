"""PostgreSQL by its own driver: prepared statements as plain text, several of them in one trip to the server.

Through SQLAlchemy's asynchronous side each takes a trip of its own, and several times the processor time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.columns import Convert
from bot.storage.kept import driver_of
from bot.storage.prepared import MadeT, Prepared, Question, Statement

if TYPE_CHECKING:
    from psycopg import AsyncCursor

DIALECT: Dialect = make_url("postgresql+psycopg://").get_dialect()()
IN_TRANSACTION = 2  # as the protocol has it: begun, and nothing has failed
Work = tuple[Prepared, Mapping[str, object]]


class Server:
    """The way to the server of one transaction; `holds` says whether questions hold the rows they ask for."""

    def __init__(self, connection: AsyncConnection, holds: bool) -> None:
        self._driver = driver_of(connection)
        self._holds = holds

    async def answers(self, asked: Sequence[tuple[Question[Any], Mapping[str, object]]]) -> list[list[Any]]:
        """Return what is made of each row, question by question, for one trip."""
        cursors = await self.put(asked)
        return [
            [*map(_making(question), await cursor.fetchall())]
            for (question, _), cursor in zip(asked, cursors, strict=True)
        ]

    async def put(self, work: Sequence[Work]) -> list[AsyncCursor[Any]]:
        """Run statements in order for one trip; their rows and counts are there on return."""
        ready = [self._ready(*one) for one in work]
        if len(ready) == 1 and self._driver.pgconn.transaction_status == IN_TRANSACTION:
            return [await self._driver.execute(*ready[0])]
        async with self._driver.pipeline():  # the transaction's own BEGIN goes with the first
            return [await self._driver.execute(text, values) for text, values in ready]

    def _ready(self, prepared: Prepared, given: Mapping[str, object]) -> tuple[Any, dict[str, object]]:
        holding = self._holds and isinstance(prepared, Question)
        text, parameters = _compiled(prepared, holding)
        values = {
            name: fixed if source is None else given[source] if convert is None else convert(given[source])
            for name, source, convert, fixed in parameters
        }
        return text, values


def driver_error() -> type[Exception]:
    """Return what the driver raises; it is there where PostgreSQL is used."""
    from psycopg import Error  # noqa: PLC0415

    return Error


@cache
def _compiled(
    prepared: Prepared, holding: bool
) -> tuple[str, list[tuple[str, str | None, Convert | None, object]]]:
    """The text, and for each parameter in it where its value comes from, or a fixed value."""
    statement: Statement = prepared.held if holding and isinstance(prepared, Question) else prepared.statement
    compiled = statement.compile(
        dialect=DIALECT,
        column_keys=[*prepared.written] or None,
    )
    parameters: list[tuple[str, str | None, Convert | None, object]] = []
    for name, value in compiled.construct_params(_check=False).items():
        bound = compiled.binds[name]
        convert: Callable[[Any], Any] | None = bound.type.dialect_impl(DIALECT).bind_processor(DIALECT)
        if bound.required:
            parameters.append((name, name, convert, None))
        else:
            parameters.append((name, None, None, convert(value) if convert else value))
    return compiled.string, parameters


@cache
def _making(question: Question[MadeT]) -> Callable[[tuple[Any, ...]], MadeT]:
    """What makes a value of a row as the driver gives it."""
    types = [column.type.dialect_impl(DIALECT) for column in question.columns]
    return question.making([one.result_processor(DIALECT, None) for one in types])
