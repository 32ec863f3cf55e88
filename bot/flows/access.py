"""Who may come in: invite links, kept only as hashes; closed by default."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from bot.model import Invite
from bot.storage.store import Store

CODE_BYTES = 9  # twelve characters in a link: beyond guessing, and short enough for a button
FIRST_INVITE_USES = 10
FIRST_INVITE_DAYS = 30


def hashed(code: str) -> str:
    """Return what is stored of an invite code."""
    return hashlib.sha256(code.encode()).hexdigest()


async def new_invite(store: Store, label: str, uses: int, days: int, now: datetime) -> str:
    """Write a new invite and return its code, which is shown once and never stored."""
    code = secrets.token_urlsafe(CODE_BYTES)
    await store.add_invite(hashed(code), label, uses, now + timedelta(days=days), now)
    return code


async def first_invite(store: Store, now: datetime) -> str | None:
    """Return the code of a first invite when none has ever been made; None later."""
    if await store.has_invites():
        return None
    return await new_invite(store, "first", FIRST_INVITE_USES, FIRST_INVITE_DAYS, now)


def describe(invite: Invite, now: datetime) -> str:
    """Return one line about an invite for the operator's list."""
    state = "revoked" if invite.revoked_at else "good"
    if state == "good" and invite.used >= invite.uses:
        state = "used up"
    if state == "good" and invite.expires_at and invite.expires_at <= now:
        state = "expired"
    until = f", until {invite.expires_at:%Y-%m-%d}" if invite.expires_at else ""
    return f"{invite.id}: {invite.label or '-'}: {state}, {invite.used} of {invite.uses} used{until}"
