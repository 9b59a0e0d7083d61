"""Compression of what people read: pages, the documentation, static files. The API's JSON is left alone.

A call's answer is a few hundred bytes: to compress it costs more time than it saves.
"""

from flask import Flask, Response
from flask_compress import Compress

BLUEPRINTS = ("pages", "reference")
MEDIA = [
    *("text/html", "text/css", "text/csv", "text/javascript", "text/plain"),
    *("application/json", "application/manifest+json", "image/svg+xml"),
]

_compress = Compress()


def register(app: Flask) -> None:
    """Compress the answers of these blueprints, where the browser takes that."""
    app.config.update(
        COMPRESS_REGISTER=False,  # else it looks at every answer of the API
        COMPRESS_MIMETYPES=MEDIA,
        COMPRESS_ALGORITHM=["br", "zstd", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "zstd"],
        COMPRESS_BR_LEVEL=5,
    )
    _compress.init_app(app)
    for name in BLUEPRINTS:
        app.after_request_funcs.setdefault(name, []).append(compressed)


def compressed(response: Response) -> Response:
    """An answer as the browser that asked takes it."""
    return _compress.after_request(response)
