"""The operator's choices: read once, refused by name, never shown when secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config, ConfigError, load_config

TOKEN = "123456789:AAexample-example-example-example-1"


def load(**settings: str) -> Config:
    return load_config({"BOT_TOKEN": TOKEN} | settings, env_file=None)


def test_a_token_is_all_it_takes() -> None:
    config = load()
    assert (config.token, config.access, config.address) == (TOKEN, "invite", ("127.0.0.1", 8080))
    assert config.database_url == "sqlite:///data/quietlegs.db"
    assert (config.send_rate, config.log_level, config.log_format) == (30, "INFO", "text")
    assert config.hints == ()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ACCESS", "closed", "write invite or open"),
        ("BOT_API_URL", "api.telegram.org", "write the root address"),
        ("BOT_API_URL", "http://localhost:8081/bot", "without /bot"),
        ("BOT_TOKEN", "<my token>", "as @BotFather gave it"),
        ("BOT_TOKEN", "hello", "as @BotFather gave it"),
        ("BOT_TOKEN_FILE", "/no/such/file", "cannot be read"),
        ("DATABASE_URL", "mysql://localhost/x", "write sqlite:///"),
        ("DEFAULT_COUNTRY", "UK", "such as GB"),
        ("DEFAULT_COUNTRY", "Germany", "two ISO letters"),
        ("DEFAULT_TIMEZONE", "Europe/Berlinn", "such as Europe/Berlin"),
        ("LISTEN", "8080", "write host:port"),
        ("LISTEN", "localhost:99999", "write host:port"),
        ("LOG_FORMAT", "xml", "write text or json"),
        ("LOG_LEVEL", "loud", "write DEBUG, INFO"),
        ("SEND_RATE", "many", "from 1 to 1000"),
        ("SEND_RATE", "nan", "from 1 to 1000"),
        ("SEND_RATE", "0", "from 1 to 1000"),
        ("PAID_BROADCAST", "perhaps", "write true or false"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(name: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(**{name: value})
    text = str(refused.value)
    assert text.startswith(f"{name}:")
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("sqlite+aiosqlite:////data/x.db", "sqlite:////data/x.db"),
        ("postgresql://me:secret@db/x", "postgresql+psycopg://me:secret@db/x"),
        ("postgres://db/x", "postgresql+psycopg://db/x"),
    ],
)
def test_the_usual_database_addresses_get_our_drivers(given: str, taken: str) -> None:
    assert load(DATABASE_URL=given).database_url == taken


def test_nothing_secret_is_shown() -> None:
    config = load(DATABASE_URL="postgresql://me:hush-hush@db/x")
    assert TOKEN not in repr(config)
    assert "hush" not in repr(config)
    assert config.secrets == (TOKEN, "hush-hush")
    with pytest.raises(ConfigError) as refused:
        load(BOT_TOKEN=f"{TOKEN} x", DATABASE_URL="mysql://me:hush-hush@db/x")
    assert TOKEN not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        f"export BOT_TOKEN='{TOKEN}'\nACCESS=open\nLOG_LEVEL=debug\nSEND_RATE=\n", encoding="utf-8"
    )
    config = load_config({"LOG_LEVEL": "error"}, env_file=file)
    assert (config.token, config.access, config.log_level, config.send_rate) == (TOKEN, "open", "ERROR", 30)


def test_the_token_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    assert load_config({"BOT_TOKEN_FILE": str(file)}, env_file=None).token == TOKEN
    assert load(BOT_TOKEN_FILE=str(file)).token == TOKEN
    with pytest.raises(ConfigError, match="differ"):
        load(BOT_TOKEN_FILE=str(file), BOT_TOKEN="1:other")
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        load(BOT_TOKEN_FILE=str(file))


def test_without_a_token_it_says_what_to_write(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"BOT_TOKN={TOKEN}\nSOMETHING_ELSE=1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"BOT_TOKEN is missing.*BOT_TOKN in .env") as refused:
        load_config({}, env_file=file)
    assert "\n" not in str(refused.value)
    assert TOKEN not in str(refused.value)
    config = load_config({}, need_token=False, env_file=file)
    assert config.token == ""
    assert config.hints == ("BOT_TOKN in .env is no setting: did you mean BOT_TOKEN?",)


def test_other_peoples_variables_are_left_alone() -> None:
    config = load(PATH="/bin", LISTEN_FDS="1", LANG="C", HOME="/x", LOGNAME="me", SEND_RATES="2")
    assert config.hints == ("SEND_RATES is no setting: did you mean SEND_RATE?",)
