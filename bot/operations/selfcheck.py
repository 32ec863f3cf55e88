"""Checks settings, content and database, and prints what was found in plain words."""

from __future__ import annotations

from datetime import date

from bot.config import Config
from bot.storage.database import Database
from bot.storage.errors import StorageError
from content.loader import ContentError, languages, load


async def check(config: Config, today: date) -> int:
    """Print one line for each part; return 0 when the bot could start, 1 when it could not."""
    well = _settings(config)
    for language in languages():
        well = _content(language, today) and well
    return 0 if await _database(config) and well else 1


def _settings(config: Config) -> bool:
    for hint in config.hints:
        print(f"settings: {hint}")
    if not config.token:
        print("settings: no BOT_TOKEN and no BOT_TOKEN_FILE: write one, or use `run --sandbox`")
        return False
    print(f"settings: good (access {config.access}, health endpoint {config.listen})")
    return True


def _content(language: str, today: date) -> bool:
    try:
        content = load(language)
    except ContentError as error:
        print(f"content {language}: refused\n{error}")
        return False
    carried = f"{len(content.red_flags)} red flags, {len(content.tips)} tips"
    print(f"content {language}: good, version {content.version}, {carried}")
    unreviewed, overdue = content.unreviewed(), content.overdue(today)
    if unreviewed:
        print(f"content {language}: {len(unreviewed)} pieces not yet reviewed by a clinician")
    if overdue:
        print(f"content {language}: best before has passed for {', '.join(overdue)}")
    unconfirmed = sum(1 for country in content.numbers.countries.values() if country.checked_on is None)
    print(f"content {language}: numbers of {unconfirmed} countries not yet confirmed by a person")
    return True


async def _database(config: Config) -> bool:
    database = Database(config.database_url)
    try:
        await database.open(whole=True)
        async with database.reading() as store:
            people, states = await store.count_patients(), await store.counts_by_state()
    except StorageError as error:
        print(f"database: {error}")
        return False
    finally:
        await database.close()
    sendings = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    print(f"database: good, {people} patients, sendings: {sendings}")
    return True
