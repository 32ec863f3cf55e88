"""Asks the running bot for its health, with the standard library alone so that asking costs nothing."""

from __future__ import annotations

import http.client
import urllib.request

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104  # read, not bound


def ask_health(listen: str, seconds: float = 5.0) -> int:
    """Return 0 when the bot that listens at `host:port` says it is well, else 1; waits *seconds* at most."""
    host, _, port = listen.rpartition(":")
    host = EVERYWHERE.get(host, host).strip("[]")
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz"
    # No proxy: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=seconds) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, ValueError, http.client.HTTPException):
        return 1
