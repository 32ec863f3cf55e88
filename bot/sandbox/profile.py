"""What the bot says about itself: commands, descriptions, name, webhook; kept by scope and language."""

from typing import Any

from bot.sandbox.journal import Journal
from bot.sandbox.refusals import Json


class Profile:
    """Values by what they are and for whom."""

    def __init__(self, journal: Journal) -> None:
        self._values: dict[str, Any] = {}
        self._journal = journal

    def put(self, what: str, value: Any, language: str = "", scope: str = "") -> None:
        """Keep one value; an empty one is forgotten."""
        key = f"{what}|{scope}|{language}"
        if value:
            self._values[key] = value
        else:
            self._values.pop(key, None)
        self._journal.write("profile", key=key, value=value)

    def get(self, what: str, language: str = "", scope: str = "") -> Any:
        """Return exactly what was kept, or None."""
        return self._values.get(f"{what}|{scope}|{language}")

    def best(self, what: str, language: str, scopes: tuple[str, ...] = ("",)) -> Any:
        """Return what a person with this language would be shown."""
        for scope in scopes:
            for tried in (language, ""):
                found = self.get(what, tried, scope)
                if found:
                    return found
        return None

    def recall(self, record: Json) -> None:
        """Take one value back from the journal."""
        if record["value"]:
            self._values[record["key"]] = record["value"]
        else:
            self._values.pop(record["key"], None)

    def records(self) -> list[Json]:
        """Return all values as journal records."""
        return [{"is": "profile", "key": key, "value": value} for key, value in self._values.items()]


def scope_name(scope: Json | None) -> str:
    """Return a command scope as one word."""
    if not scope or scope.get("type") == "default":
        return ""
    return ":".join(str(scope[part]) for part in ("type", "chat_id", "user_id") if part in scope)
