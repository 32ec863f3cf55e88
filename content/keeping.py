"""Caches what is worked out from a content together with it: a cache elsewhere would outlive the content."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from content.loader import Content

OfP = ParamSpec("OfP")
MadeT = TypeVar("MadeT")
Make = Callable[Concatenate["Content", OfP], MadeT]


def kept(most: int = 1) -> Callable[[Make[OfP, MadeT]], Make[OfP, MadeT]]:
    """Keep the last so many results of a function of a content and of hashable values, with each content."""

    def keeping(make: Make[OfP, MadeT]) -> Make[OfP, MadeT]:
        @wraps(make)
        def made(content: Content, /, *of: OfP.args, **named: OfP.kwargs) -> MadeT:
            results: Callable[OfP, MadeT] | None = content.kept.get(make)
            if results is None:
                results = content.kept[make] = cast(
                    "Callable[OfP, MadeT]", lru_cache(most)(partial(make, content))
                )
            return results(*of, **named)

        return made

    return keeping
