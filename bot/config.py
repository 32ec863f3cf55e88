"""What the operator decides, read once from the environment and `.env`; what is wrong is refused by name."""

from __future__ import annotations

import difflib
import functools
import re
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from babel import Locale
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

HERE = Path(".env")
SIMILAR = 0.65  # of 1: a name in .env, which is ours, is taken for a misspelt setting
VERY_SIMILAR = 0.85  # the same in the environment, which is everybody's
# Regions, and made-up ones, that CLDR lists among the countries.
NO_COUNTRIES = frozenset(("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"))
RATES = "write how many messages a second may go out, from 1 to 1000"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+aiosqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class ConfigError(Exception):
    """A setting that is missing or wrong; the text is one line that names it and says what to write."""


class Config(BaseSettings):
    """The operator's choices; neither the token nor the database's password is ever shown."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    bot_token: SecretStr = SecretStr("")
    bot_token_file: str = ""
    bot_api_url: str = "https://api.telegram.org"
    database_url: str = Field("sqlite:///data/quietlegs.db", repr=False)
    access: Literal["invite", "open"] = "invite"
    default_timezone: str | None = None
    default_country: str | None = None
    listen: str = "127.0.0.1:8080"
    send_rate: float = 30.0  # messages a second
    paid_broadcast: bool = False
    webhook_url: str | None = None  # None: updates are polled
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    hints: tuple[str, ...] = ()  # names that look like a typing error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load_config` hands over, so that nothing is read behind its back."""
        return (init_settings,)

    @property
    def token(self) -> str:
        """Return the bot's token in the clear; empty when there is none."""
        return self.bot_token.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must never be shown."""
        return tuple(secret for secret in (self.token, urlsplit(self.database_url).password) if secret)

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port of the health endpoint."""
        return split_listen(self.listen)

    @field_validator("bot_token")
    @classmethod
    def _token_is_one_word(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.fullmatch(r"\d+:[\w-]+", value.get_secret_value(), re.ASCII):
            raise ValueError(
                "write the token as @BotFather gave it, such as 123456789:AAexample, and nothing else"
            )
        return value

    @field_validator("bot_api_url")
    @classmethod
    def _is_a_root(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError("write the root address of a Bot API server, such as https://api.telegram.org")
        if "/bot" in url.path:
            raise ValueError("write the root address of the Bot API server, without /bot and what follows it")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _has_a_driver_of_ours(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in DRIVERS:
            raise ValueError("write sqlite:///path/to/file.db or postgresql://user:password@host/database")
        return f"{DRIVERS[scheme]}://{rest}"

    @field_validator("access", "log_format", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("default_timezone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        zones = zoneinfo.available_timezones()
        if value is not None and value not in zones:
            near = difflib.get_close_matches(value, sorted(zones), n=1, cutoff=0.5) or ["Europe/Berlin"]
            raise ValueError(f"write a time zone's IANA name, such as {near[0]}")
        return value

    @field_validator("default_country")
    @classmethod
    def _is_a_country(cls, value: str | None) -> str | None:
        if value is None:
            return None
        code = value.upper()
        if code not in _countries():
            example = "GB" if code == "UK" else "DE"
            raise ValueError(f"write the country's two ISO letters, such as {example}")
        return code

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        split_listen(value)
        return value

    @field_validator("webhook_url")
    @classmethod
    def _can_be_pushed_to(cls, value: str | None) -> str | None:
        url = urlsplit(value or "https://example.org/telegram")
        if url.scheme not in ("https", "http") or not url.hostname or url.path in ("", "/"):
            raise ValueError(
                "write the public address Telegram shall push to, such as https://legs.example/telegram"
            )
        if url.path in ("/healthz", "/readyz", "/metrics"):
            raise ValueError("write another path: this one belongs to the health endpoint")
        return value

    @field_validator("send_rate")
    @classmethod
    def _is_in_range(cls, value: float) -> float:
        if not 1 <= value <= 1000:
            raise ValueError(RATES)
        return value


# What to write when the shape itself is wrong, where no validator of ours is asked.
SHAPES = {
    "access": "write invite or open",
    "log_level": "write DEBUG, INFO, WARNING or ERROR",
    "log_format": "write text or json",
    "send_rate": RATES,
    "paid_broadcast": "write true or false",
}
NAMES = tuple(name.upper() for name in Config.model_fields if name != "hints")


def load_config(environ: Mapping[str, str], need_token: bool = True, env_file: Path | None = HERE) -> Config:
    """Read the settings, the environment before `.env`; raises ConfigError.

    Without *need_token* a missing token is fine, and `Config.token` is empty.
    """
    written = _read(env_file)
    values = {name: written.get(name, "").strip() for name in NAMES}
    values |= {name: environ[name].strip() for name in NAMES if environ.get(name, "").strip()}
    hints = (*_hints(written, SIMILAR, " in .env"), *_hints(environ, VERY_SIMILAR, ""))
    values["BOT_TOKEN"] = _token(values.pop("BOT_TOKEN"), values["BOT_TOKEN_FILE"])
    given: dict[str, Any] = {name.lower(): value for name, value in values.items() if value}
    if need_token and not values["BOT_TOKEN"]:
        raise ConfigError(_missing_token(hints))
    try:
        return Config(**given, hints=hints)
    except ValidationError as refused:
        raise ConfigError(_in_one_line(refused)) from None


def split_listen(listen: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[host]:port`; raises ValueError saying what to write."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+)):(\d{1,5})", listen)
    if found is None or int(found[3]) > 65535:
        raise ValueError("write host:port, such as 127.0.0.1:8080")
    return found[1] or found[2], int(found[3])


def _read(env_file: Path | None) -> dict[str, str]:
    if env_file is None or not env_file.is_file():
        return {}
    try:
        read = DotEnvSettingsSource(
            Config, env_file=env_file, env_file_encoding="utf-8-sig", case_sensitive=True
        )
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{env_file}: cannot be read ({type(error).__name__}): make it readable text"
        ) from None
    return {name: value or "" for name, value in read.env_vars.items()}


def _token(token: str, file: str) -> str:
    """Return the token; of a file and a variable the file is taken, and they must agree."""
    if not file:
        return token
    try:
        kept = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(
            f"BOT_TOKEN_FILE: {file!r} cannot be read ({reason}): write the path of a file with the token"
        ) from None
    if not kept:
        raise ConfigError(f"BOT_TOKEN_FILE: {file!r} is empty: put the token from @BotFather into it")
    if token and token != kept:
        raise ConfigError("BOT_TOKEN and BOT_TOKEN_FILE differ: keep one of them")
    return kept


def _missing_token(hints: tuple[str, ...]) -> str:
    guess = next((hint for hint in hints if hint.endswith(("BOT_TOKEN?", "BOT_TOKEN_FILE?"))), "")
    return (
        "BOT_TOKEN is missing: write BOT_TOKEN=<the token from @BotFather> into .env or the environment, or "
        "the path of a file that holds it as BOT_TOKEN_FILE (`make run` tries the bot without one)"
        + (f"; {guess}" if guess else "")
    )


def _hints(given: Mapping[str, str], cutoff: float, where: str) -> list[str]:
    hints = []
    for name in given:
        near = difflib.get_close_matches(name.upper(), NAMES, n=1, cutoff=cutoff)
        if near and name not in NAMES:
            hints.append(f"{name}{where} is no setting: did you mean {near[0]}?")
    return hints


def _in_one_line(refused: ValidationError) -> str:
    error = refused.errors(include_url=False, include_input=False)[0]
    field = str(error["loc"][0])
    own = str(error["msg"]).removeprefix("Value error, ") if error["type"] == "value_error" else ""
    return f"{field.upper()}: {own or SHAPES.get(field, 'write another value')}"


@functools.cache
def _countries() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - NO_COUNTRIES
