"""What Telegram sees: updates in, messages out, no decisions. This page is the table of contents."""

from __future__ import annotations

from handlers import (
    cramp,
    enrolment,
    errors,
    escalation,
    evening,
    membership,
    morning,
    privacy,
    settings,
    tips,
    words,
)
from handlers.bridge import Application, Bridge
from handlers.updates import Failures


def register(application: Application, bridge: Bridge, failures: Failures) -> None:
    """Register every handler; the order matters: groups out first, then buttons, plain words last."""
    membership.register(application, bridge)
    application.add_handler(bridge.buttons)
    enrolment.register(application, bridge)
    evening.register(application, bridge)
    morning.register(application, bridge)
    escalation.register(application, bridge)
    cramp.register(application, bridge)
    tips.register(application, bridge)
    settings.register(application, bridge)
    privacy.register(application, bridge)
    words.register(application, bridge)
    errors.register(application, bridge, failures)
