"""The command line: every command explained, every mistake one line that names the setting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "123456789:AAexample-example-example-example-1"
ROOT = Path(__file__).parents[1]


def quietlegs(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder of its own, with these settings and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONTZPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_explains_every_command(tmp_path: Path) -> None:
    shown = quietlegs(tmp_path, "--help")
    assert shown.returncode == 0
    for command in ("run", "check", "health", "invite", "sandbox"):
        assert re.search(rf"^    {command}\s+\w+", shown.stdout, re.MULTILINE), command
    assert ".env" in shown.stdout


@pytest.mark.parametrize("command", ["run", "check", "health", "invite", "sandbox"])
def test_every_command_has_help_of_its_own(tmp_path: Path, command: str) -> None:
    shown = quietlegs(tmp_path, command, "--help")
    assert shown.returncode == 0
    assert f"quietlegs {command}" in shown.stdout


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("BOT_TOKEN", "", "BOT_TOKEN is missing"),
        ("ACCESS", "closed", "write invite or open"),
        ("BOT_API_URL", "telegram", "write the root address"),
        ("DATABASE_URL", "mysql://x/y", "write sqlite:///"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/x.db", "cannot be written"),
        ("DEFAULT_TIMEZONE", "Europe/Londn", "Europe/London"),
        ("DEFAULT_COUNTRY", "UK", "GB"),
        ("LISTEN", "here", "write host:port"),
        ("LISTEN", "127.0.0.1:1", "LISTEN"),
        ("SEND_RATE", "fast", "how many messages a second"),
        ("LOG_LEVEL", "loud", "DEBUG"),
        ("LOG_FORMAT", "xml", "text or json"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str, hint: str
) -> None:
    settings = {"BOT_TOKEN": TOKEN, "LISTEN": "127.0.0.1:0", "BOT_API_URL": "http://127.0.0.1:9", name: value}
    if (name, value) == ("LISTEN", "127.0.0.1:1") and os.geteuid() == 0:
        pytest.skip("who may do everything may listen there")
    ran = quietlegs(tmp_path, "run", **settings)
    assert ran.returncode == 2
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1, ran.stderr
    assert name in lines[0]
    assert hint in lines[0]
    assert "Traceback" not in ran.stderr + ran.stdout


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = "postgresql://nobody:hush@127.0.0.1:9/x"
    ran = quietlegs(tmp_path, "run", BOT_TOKEN=TOKEN, LISTEN="127.0.0.1:0", DATABASE_URL=url)
    assert ran.returncode == 2
    assert len(ran.stderr.strip().splitlines()) == 1, ran.stderr
    assert "DATABASE_URL" in ran.stderr
    assert "hush" not in ran.stderr


def test_check_says_what_it_found(tmp_path: Path) -> None:
    ran = quietlegs(tmp_path, "check", BOT_TOKEN=TOKEN)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    for part in ("settings: good", "content en: good", "database: good"):
        assert part in ran.stdout
    assert TOKEN not in ran.stdout


def test_check_without_a_token_says_so(tmp_path: Path) -> None:
    ran = quietlegs(tmp_path, "check")
    assert ran.returncode == 1
    assert "BOT_TOKEN" in ran.stdout


def test_check_names_a_setting_that_looks_like_a_typing_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"BOT_TOKEN={TOKEN}\nDEFAULT_TIMZONE=Europe/Berlin\n")
    ran = quietlegs(tmp_path, "check")
    assert "DEFAULT_TIMZONE" in ran.stdout
    assert "did you mean DEFAULT_TIMEZONE" in ran.stdout


def test_check_of_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    ran = quietlegs(tmp_path, "check", BOT_TOKEN=TOKEN, ACCESS="perhaps")
    assert ran.returncode == 2
    assert ran.stderr.strip().splitlines() == ["quietlegs: ACCESS: write invite or open"]


def test_invites_are_made_listed_and_revoked(tmp_path: Path) -> None:
    made = quietlegs(tmp_path, "invite", "--label", "Ada's", "--uses", "3")
    assert made.returncode == 0, made.stderr
    code = re.search(r"\?start=([\w-]+)", made.stdout)
    assert code is not None
    listed = quietlegs(tmp_path, "invite", "--list")
    assert "1: Ada's: good, 0 of 3 used" in listed.stdout
    assert code[1] not in listed.stdout
    assert quietlegs(tmp_path, "invite", "--revoke", "1").returncode == 0
    assert "revoked" in quietlegs(tmp_path, "invite", "--list").stdout
    assert quietlegs(tmp_path, "invite", "--revoke", "99").returncode == 1


@pytest.mark.parametrize("arguments", [["--uses", "0"], ["--days", "-1"], ["--uses", "many"]])
def test_an_invite_for_nobody_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    ran = quietlegs(tmp_path, "invite", *arguments)
    assert ran.returncode == 2
    assert arguments[0] in ran.stderr


def test_health_of_a_bot_that_does_not_run_is_red(tmp_path: Path) -> None:
    ran = quietlegs(tmp_path, "health", LISTEN="127.0.0.1:9")
    assert ran.returncode == 1
    assert ran.stdout.startswith("127.0.0.1:9: not well")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "web"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    ran = quietlegs(tmp_path, "run", "--sandbox", "--port", port)
    assert ran.returncode == 2
    assert "--port" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    ran = quietlegs(tmp_path, "run", "--sandbox", "--port", "0")
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert "data/sandbox" in line
    assert "another copy" not in line


def test_a_missing_driver_is_asked_for_by_the_setting_that_needs_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'psycopg' else find(name, *rest)\n"
    )
    ran = quietlegs(
        tmp_path,
        "check",
        DATABASE_URL="postgresql://ada@127.0.0.1:9/x",
        PYTHONPATH=os.pathsep.join((str(tmp_path), str(ROOT))),
    )
    (line,) = ran.stderr.splitlines()
    assert line.startswith("quietlegs: DATABASE_URL: PostgreSQL needs its driver")
    asked = line.rpartition("--requirement ")[2]
    assert "psycopg==" in (ROOT / asked).read_text()


def test_no_command_and_an_unknown_one_are_explained(tmp_path: Path) -> None:
    for arguments in ([], ["dance"]):
        ran = quietlegs(tmp_path, *arguments)
        assert ran.returncode == 2
        assert "usage: quietlegs" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("run", "--port", "abc"), "write a port from 0 (any free one) to 65535"),
        (("run", "--lapse", "-3"), "write a number from 1 to 36500"),
        (("run", "--lapse", "0"), "write a number from 1 to 36500"),
        (("invite", "--days", "soon"), "write a number from 1 to 36500"),
        (("invite", "--revoke", "Ada"), "write a number from 1 to 36500"),
    ],
)
def test_a_number_that_is_none_is_refused_by_saying_what_to_write(
    tmp_path: Path, arguments: tuple[str, ...], hint: str
) -> None:
    ran = quietlegs(tmp_path, *arguments)
    assert ran.returncode == 2
    assert f"argument {arguments[1]}: {hint}" in ran.stderr
