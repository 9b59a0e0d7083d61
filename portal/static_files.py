"""Files that browsers keep: each has an address with its hash, under which it never changes.

    url_for("static", filename="portal.css")  →  /static/portal.css?v=3f1c…

Under that address it is kept for a year and not asked for again; under any other, always asked for.
"""

import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from posixpath import normpath
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from portal.compression import compressed

ENDPOINT = "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK = "no-cache"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    version: str
    media: str


def register(app: Flask) -> None:
    """Send the app's static files so, and write their addresses so."""

    def send(filename: str) -> Response:
        file = _find(app, filename)
        if file is None:
            raise NotFound
        response = Response(file.content, mimetype=file.media)
        is_kept = request.args.get("v") == file.version
        response.headers["Cache-Control"] = FOR_EVER if is_kept else ASK
        response.set_etag(file.version)
        response.make_conditional(request)
        return compressed(response)

    def version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == ENDPOINT and "v" not in values:
            file = _find(app, values.get("filename", ""))
            if file is not None:
                values["v"] = file.version

    app.view_functions[ENDPOINT] = send
    app.url_defaults(version)


def _find(app: Flask, filename: str) -> File | None:
    """A file below the static folder; None where there is none."""
    assert app.static_folder is not None
    path = safe_join(app.static_folder, filename)
    if path is None or "\0" in path or normpath(filename) != filename:
        return None
    try:
        stat = Path(path).stat()
        return _read(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, UnicodeError):  # no file; a name that can be none
        return None


@lru_cache(maxsize=256)
def _read(path: str, _changed: int, _size: int) -> File:
    """A file, read again only after it changed."""
    content = Path(path).read_bytes()
    media = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return File(content, sha256(content).hexdigest()[:16], media)
