"""The security headers, on every answer: pages, API, static files, errors, 304s.

Around the whole app, so that no route and no error can be without. What an answer has of its own stays:
/docs is stricter. Calls of the API get a policy that lets nothing be done with their JSON.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Pairs = list[tuple[str, str]]

API = "/api/"
CSP = "Content-Security-Policy"
PAGES_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
API_CSP = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
USUAL: Pairs = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", PERMISSIONS),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
HTTPS = ("Strict-Transport-Security", "max-age=31536000")
"""For a year no browser asks this host by plain http. Where a request came by http, it says nothing."""
NAMES = frozenset([CSP, HTTPS[0], *(name for name, _ in USUAL)])


def _by_scheme(csp: str) -> dict[str, Pairs]:
    pairs = [(CSP, csp), *USUAL]
    return {"http": pairs, "https": [*pairs, HTTPS]}


PAGES, CALLS = _by_scheme(PAGES_CSP), _by_scheme(API_CSP)


class Secured:
    """Adds them. A call of the API pays for it each time: hence the lists made beforehand."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer as the app does, with the headers."""
        answers = CALLS if environ["PATH_INFO"].startswith(API) else PAGES
        more = answers["https" if environ["wsgi.url_scheme"] == "https" else "http"]

        def start(status: str, headers: Pairs, exc_info: Any = None) -> Any:
            own = [name for name, _ in headers if name in NAMES]
            added = [pair for pair in more if pair[0] not in own] if own else more
            return start_response(status, headers + added, exc_info)

        return self._app(environ, start)
