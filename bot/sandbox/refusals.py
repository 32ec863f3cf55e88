"""Every way the stand-in says no, in the shape Telegram says it."""

from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """A request Telegram would have refused."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        """Return the answer as Telegram words it."""
        answer: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return answer | ({"parameters": self.parameters} if self.parameters else {})


def bad(reason: str) -> Refused:
    """Return a 400 with its reason."""
    return Refused(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> Refused:
    """Return a 403 with its reason."""
    return Refused(403, f"Forbidden: {reason}")
