"""The command line: run, check, health, invite, triage, sandbox.

What a command needs is imported inside it: `health`, which runs every half minute, must not pay for the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config import Config, ConfigError, load_config

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from bot.app import App
    from bot.sandbox.lapse import Lapse

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # it has no public name

SANDBOX_PORT = 8321
MOST = 36_500  # days or people of one invite
HIGHEST_PORT = 65_535
SANDBOX_TOKEN = "1000000001:sandbox-token-that-opens-nothing-anywhere"  # noqa: S105  # opens only the stand-in


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 found wanting, 2 cannot run."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except ConfigError as error:
        print(f"quietlegs: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="quietlegs",
        description="A Telegram bot for adults whose legs hurt at night.",
        epilog="Settings come from the environment or .env; `python -m bot check` says if they are right.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the bot; with --sandbox, on the built-in local chat")
    run.add_argument(
        "--sandbox", action="store_true", help="talk to the built-in chat page instead of Telegram"
    )
    run.add_argument(
        "--port", type=_port, default=SANDBOX_PORT, help=f"the chat page's port (default {SANDBOX_PORT})"
    )
    run.add_argument(
        "--lapse",
        type=_at_least_one,
        metavar="NIGHTS",
        help="play so many nights of a scripted patient first, in the sandbox",
    )
    run.set_defaults(command=_run)
    check = commands.add_parser("check", help="check settings, content and database, and say what was found")
    check.set_defaults(command=_check)
    health = commands.add_parser(
        "health", help="ask the running bot whether its tick beats; exit code 0 or 1"
    )
    health.set_defaults(command=_health)
    _add_invite(commands)
    triage = commands.add_parser(
        "triage", help="replay clinical cases without a bot or database; exit code 1 if one comes out wrong"
    )
    triage.add_argument("cases", nargs="*", metavar="CASES.jsonl", help="a case a line; - for standard input")
    triage.add_argument("--codes", action="store_true", help="print every code a case may use")
    triage.set_defaults(command=_triage)
    sandbox = commands.add_parser("sandbox", help="run only the stand-in for Telegram with its chat page")
    sandbox.add_argument(
        "--port", type=_port, default=SANDBOX_PORT, help=f"its port (default {SANDBOX_PORT})"
    )
    sandbox.set_defaults(command=_sandbox)
    return parser


def _add_invite(commands: Commands) -> None:
    invite = commands.add_parser("invite", help="make, list or revoke invite links")
    invite.add_argument("--label", default="", help="who it is for, so that you know it again in the list")
    invite.add_argument(
        "--uses", type=_at_least_one, default=1, help="how many people it lets in (default 1)"
    )
    invite.add_argument(
        "--days", type=_at_least_one, default=30, help="for how many days it is good (default 30)"
    )
    invite.add_argument("--list", action="store_true", help="list the invites")
    invite.add_argument(
        "--revoke", type=_at_least_one, metavar="ID", help="revoke the invite with this number"
    )
    invite.set_defaults(command=_invite)


def _at_least_one(written: str) -> int:
    return _within(written, 1, MOST, f"write a number from 1 to {MOST}")


def _port(written: str) -> int:
    return _within(written, 0, HIGHEST_PORT, f"write a port from 0 (any free one) to {HIGHEST_PORT}")


def _within(written: str, least: int, most: int, hint: str) -> int:
    if not re.fullmatch(r"\d{1,6}", written, re.ASCII) or not least <= int(written) <= most:
        raise argparse.ArgumentTypeError(hint)
    return int(written)


# --- commands --------------------------------------------------------------------------------------------


def _run(parsed: argparse.Namespace) -> int:
    if parsed.sandbox or parsed.lapse:
        return _finish(_run_in_sandbox(parsed.port, parsed.lapse))
    config = load_config(os.environ)
    return _finish(_run_bot(config))


def _check(_parsed: argparse.Namespace) -> int:
    from bot.app import Clock
    from bot.operations.selfcheck import check

    return _finish(check(load_config(os.environ, need_token=False), Clock().real().date()))


def _health(_parsed: argparse.Namespace) -> int:
    from bot.operations.probe import ask_health

    listen = load_config(os.environ, need_token=False).listen
    well = ask_health(listen)
    print(f"{listen}: {'well' if well == 0 else 'not well, or no bot listens there; see LISTEN and the log'}")
    return well


def _invite(parsed: argparse.Namespace) -> int:
    return _finish(_invites(load_config(os.environ, need_token=False), parsed))


def _triage(parsed: argparse.Namespace) -> int:
    from bot.operations.cases import run

    return run(parsed.cases, codes=parsed.codes)


def _sandbox(parsed: argparse.Namespace) -> int:
    from bot.sandbox import serve

    return _finish(serve(port=parsed.port, journal=Path("data/sandbox.jsonl")))


def _finish(work: Coroutine[Any, Any, int | None]) -> int:
    """Run a coroutine to its end; what the operator can mend becomes one line."""
    from bot.operations.runtime import run_to_end
    from bot.storage.errors import StorageError
    from content.loader import ContentError
    from handlers.updates import TokenRefused

    try:
        return run_to_end(work) or 0
    except (StorageError, ContentError, TokenRefused, FolderInUse) as error:
        print(f"quietlegs: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is not None:  # a file or folder, not a port
            line = f"{error.filename}: {error.strerror}: it must be a folder or file that can be written here"
        else:
            line = f"{error.strerror or error}: is another copy running? See LISTEN or --port"
        print(f"quietlegs: {line}", file=sys.stderr)
        return 2


# --- running -------------------------------------------------------------------------------------------


async def _run_bot(config: Config) -> int:
    from bot.app import App
    from bot.operations.logs import set_up_logging
    from bot.operations.runtime import settle

    set_up_logging(config.log_level, config.log_format, config.secrets)
    for hint in config.hints:
        print(f"quietlegs: {hint}", file=sys.stderr)
    app = App(config)
    _stop_on_signals(app.ask_to_stop)
    async with app.running():
        settle()
        if app.first_invite:
            print(f"First invite link: https://t.me/{app.username}?start={app.first_invite}", flush=True)
            print("It lets in ten people within thirty days; `python -m bot invite` makes more.", flush=True)
        await app.run()
    return 0


async def _run_in_sandbox(port: int, nights: int | None) -> int:
    from bot.app import App
    from bot.operations.logs import set_up_logging
    from bot.sandbox import Sandbox
    from bot.sandbox.lapse import Lapse

    with _alone_in(Path("data/sandbox")) as folder:
        clock = SandboxClock()
        stand_in = Sandbox(journal=folder / "chats.jsonl", clock=clock)
        try:
            root = await stand_in.start(port=port)
            config = load_config(_sandbox_settings(root, folder), env_file=None)
            set_up_logging(config.log_level, config.log_format, config.secrets)
            app = clock.app = App(config, per_chat=0)
            _stop_on_signals(app.ask_to_stop)
            async with app.running():
                print(
                    f"Quietlegs runs in the built-in chat. Open {root}/ in a browser; Ctrl-C ends it.",
                    flush=True,
                )
                playing = None
                if nights:
                    lapse = Lapse(stand_in, app.jump, app.tick)
                    playing = asyncio.create_task(_play(lapse, nights, root))
                await app.run()
                if playing is not None:
                    playing.cancel()
        finally:
            await stand_in.stop()
    return 0


def _sandbox_settings(root: str, folder: Path) -> dict[str, str]:
    """Return the environment with the stand-in in Telegram's place; *root* is its address."""
    return {
        "ACCESS": "open",
        "LISTEN": "127.0.0.1:0",
        "LOG_LEVEL": "WARNING",
        "SEND_RATE": "1000",
        **os.environ,
        "BOT_TOKEN": SANDBOX_TOKEN,
        "BOT_TOKEN_FILE": "",
        "BOT_API_URL": root,
        # Never the operator's own: here the clock is moved.
        "DATABASE_URL": f"sqlite:///{folder / 'quietlegs.db'}",
    }


async def _play(lapse: Lapse, nights: int, root: str) -> None:
    """Play the nights and say where to read them; a script that got stuck is no reason to end the bot."""
    print(f"Playing {nights} nights of {lapse.name} ...", flush=True)
    began = time.monotonic()
    try:
        await lapse.play(nights)
    except (LookupError, TimeoutError) as error:
        print(f"quietlegs: the played nights stopped early: {error}", file=sys.stderr, flush=True)
        return
    seconds = time.monotonic() - began
    print(f"{nights} nights played in {seconds:.0f} seconds: {root}/?person={lapse.person.id}", flush=True)


class FolderInUse(Exception):
    """Another copy keeps its chats in the same folder; the text is one line that says what to do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use: end the copy that runs here, or start this in another folder")


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[Path]:
    """Make a folder and keep a second copy out of it; FolderInUse when there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FolderInUse(folder) from None
        yield folder


class SandboxClock:
    """The bot's clock as the chat page moves it; the stand-in is there before the bot is."""

    def __init__(self) -> None:
        self.app: App | None = None

    def now(self) -> datetime:
        """Return the patients' moment (aware UTC)."""
        return self.app.clock.now() if self.app else datetime.now(UTC)

    async def jump(self, target: str) -> datetime:
        """Move it forward; ValueError for an unknown target."""
        if self.app is None:
            raise ValueError("the bot has not started yet")
        return await self.app.jump(target)


def _stop_on_signals(stop: Any) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # where a loop knows no signals, Ctrl-C still ends it
            loop.add_signal_handler(name, stop)


async def _invites(config: Config, parsed: argparse.Namespace) -> int:
    from bot.app import Clock
    from bot.flows import access
    from bot.storage.database import Database

    database = Database(config.database_url)
    await database.open()
    now = Clock().real()
    try:
        async with database.transaction() as store:
            if parsed.revoke is not None:
                done = await store.revoke_invite(parsed.revoke, now)
                print("revoked" if done else f"there is no invite {parsed.revoke} that could be revoked")
                return 0 if done else 1
            if parsed.list:
                for invite in await store.invites():
                    print(access.describe(invite, now))
                return 0
            code = await access.new_invite(store, parsed.label, parsed.uses, parsed.days, now)
    finally:
        await database.close()
    print(f"https://t.me/YOUR_BOT?start={code}")
    print("Put your bot's name in the link. The code is shown only now; it is not stored.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
