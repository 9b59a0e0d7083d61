"""What goes wrong in a page without anybody looking: errors, refused content, requests to other hosts."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

PARTS = ("stylesheet", "script", "image", "font", "manifest")
ANSWERED = "Failed to load resource: the server responded with a status of 4"
"""What the console says of a form that was refused: that is an answer, and no fault of the page."""


class Watched:
    """A context's pages under watch; `problems` are in the order they came."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.problems: list[str] = []
        self._base = urlsplit(base)
        context.on("page", self._watch)
        context.on("console", self._said)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"error of a script: {error}"))
        page.on("crash", lambda _: self.problems.append("the page crashed"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ANSWERED):
            self.problems.append(f"{message.type} in the console: {message.text}")

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.netloc != self._base.netloc:
            self.problems.append(f"a request to another host: {request.url}")

    def _answered(self, response: Response) -> None:
        is_part = response.request.resource_type in PARTS
        if response.status >= 500 or (response.status >= 400 and is_part):
            self.problems.append(f"{response.status} from {response.url}")
