"""Only this machine's own page may act: no other web site through a visitor's browser."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another web site asks a visitor's browser to do."""
    if request.path.startswith("/sandbox/") and _foreign(request):
        return web.json_response({"error": "asked by another site"}, status=403)
    try:
        return await handler(request)
    except (LookupError, ValueError, TypeError) as error:
        return web.json_response({"error": str(error)}, status=409)


def _foreign(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return True
    # A name that points at this machine may belong to anybody; an address of this machine may not.
    bound = request.transport.get_extra_info("sockname") if request.transport else None
    loopback = bound is not None and bound[0] in {"127.0.0.1", "::1"}
    return loopback and urlsplit(f"//{request.host}").hostname not in {"127.0.0.1", "::1", "localhost"}
