"""ETags of the reads that games poll: who has the current answer is told so by one small query.

That query and the reads of the view are made on one connection, at one moment of the books.

A tag is weak: an answer that differs in `as_of` or `at` alone is the same one. It covers the address
with its query, the version of what is read, and the code and settings that make the answer of it.
"""

from collections.abc import Callable
from functools import cache, wraps
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec

from flask import Flask, Response, current_app, request

from config import Settings
from portal.runtime import runtime
from portal.services import users

P = ParamSpec("P")
NAME = "etags"
CODE = Path(__file__).parent.parent
OK, NOT_MODIFIED = 200, 304


def register(app: Flask, settings: Settings) -> None:
    """Fix what all tags of this app begin with; every process of the same version has the same."""
    made_by = repr((settings.regions, settings.secret_key, settings.win_max_ahead))
    app.extensions[NAME] = _digest(_code().encode() + made_by.encode()).encode()


def polled(
    version: Callable[..., str | None],
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Tag the answers of a view; `version` is given the path's user, if it names one."""

    def tagging(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def tagged(*args: P.args, **path: P.kwargs) -> Response:
            with runtime().reading():
                return answered(*args, **path)

        def answered(*args: P.args, **path: P.kwargs) -> Response:
            named = [users.parse_id(str(path["user_id"]))] if "user_id" in path else []
            found = version(*named)
            if found is None:
                return view(*args, **path)
            tag = _tag(found)
            asked = "If-None-Match" in request.headers
            if (
                asked
                and request.if_none_match.contains_weak(tag)
                and not request.if_none_match.star_tag
            ):
                return _told(Response(status=NOT_MODIFIED), tag)
            response = view(*args, **path)
            if asked and request.if_none_match.star_tag and response.status_code == OK:
                response = Response(status=NOT_MODIFIED)
            return _told(response, tag)

        return tagged

    return tagging


def _tag(version: str) -> str:
    where = request.environ
    address = f"{where.get('PATH_INFO')}?{where.get('QUERY_STRING')}"
    begin: bytes = current_app.extensions[NAME]
    return _digest(begin + repr((address, version)).encode())


def _told(response: Response, tag: str) -> Response:
    headers = response.headers
    headers.add("ETag", f'W/"{tag}"')
    headers.add("Cache-Control", "private, no-cache")
    headers.add("Vary", "Authorization")
    if response.status_code == NOT_MODIFIED:
        headers.pop("Content-Type", None)
    return response


@cache
def _code() -> str:
    """Of the program itself: another version may answer otherwise."""
    files = sorted(CODE.rglob("*.py"))
    return _digest(b"".join(file.read_bytes() for file in files))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()
