"""`python -m bot run --sandbox` as a newcomer starts it: a usable page, and nothing lost by a kill."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.program import running, start


async def test_the_page_is_usable_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        status, page = await program.page()
        assert status == 200
        assert "<title>Quietlegs" in page
        ada = await program.newcomer()
        await program.enrol(ada)
        await program.jump("evening")
        await program.hear(ada, "Good evening.")
        await program.jump("morning")
        await program.press(ada, "6")
        await program.button(ada, "Hard cramp")
        before = await program.messages(ada)
        clock = (await program.ask("/sandbox/clock"))["now"]
        assert await program.end(signal.SIGKILL) == -signal.SIGKILL

    async with running(tmp_path) as program:
        assert await program.messages(ada) == before, "the chat page remembers"
        assert (await program.ask("/sandbox/clock"))["now"] > clock, "the moved clock stays moved"
        await program.press(ada, "Hard cramp")
        await program.press(ada, "Done")
        await program.button(ada, "Left")
        await program.hear(ada, "Worst moment: 6")
        await program.ask(f"/sandbox/chats/{ada}/send", {"text": "/diary"})
        await program.hear(ada, "6 of 10")
        assert await program.end(signal.SIGTERM) == 0


async def test_one_line_says_that_another_copy_is_running(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        second = await start(tmp_path)
        _, said = await second.communicate()
        assert second.returncode == 2
        assert said.decode().splitlines() == [
            "quietlegs: data/sandbox is in use: end the copy that runs here, or start this in another folder"
        ]
        assert (await program.page())[0] == 200
        assert await program.end(signal.SIGINT) == 0


async def test_one_line_says_that_the_port_is_taken(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        port = str(server.sockets[0].getsockname()[1])
        program = await start(tmp_path, "--port", port)
        _, said = await program.communicate()
    assert program.returncode == 2
    (line,) = said.decode().splitlines()
    assert port in line
    assert "is another copy running? See LISTEN or --port" in line


async def test_an_operators_own_database_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.db"
    async with running(tmp_path, DATABASE_URL=f"sqlite:///{own}") as program:
        await program.newcomer()
        assert await program.end(signal.SIGTERM) == 0
    assert not own.exists()
