"""bin/gallery [NAME…]: makes the scene, serves it, and takes a picture of each page in each view."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser
from redis import Redis
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import stage
from gallery import camera, document, office, scene, weeks
from gallery.pages import PAGES
from gallery.shown import Shown
from gallery.steady import steady
from local.environment import ROOT, environment, var_directory
from local.errors import LocalError, run_command
from local.modules import check_modules

NAME = "bin/gallery"
DOCS = ROOT / "docs"
HOST = "127.0.0.1"
Cookies = Mapping[str, dict[str, str]]


class Silent(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""


def main() -> int:
    """All pictures, or those of the pages named; docs/gallery.md is written either way."""
    check_modules()
    wanted = _wanted(sys.argv[1:])
    var = var_directory() / "gallery"
    with environment(var), tempfile.TemporaryDirectory(dir=var) as own:
        server = stage.Server(os.environ["DATABASE_URL"], Path(own))
        with stage.books(server) as books, steady(), books.app.app_context():
            print("making the scene", flush=True)
            made = scene.make(books)
            cookies = {
                who: scene.cookie(books, id_) if id_ else {} for who, id_ in made.people.items()
            }
            pages = [replace(page, address=made.address(page.address)) for page in wanted]
            with _served(books) as base, camera.chromium() as chromium:
                for view in camera.VIEWS:
                    print(f"{len(pages)} pictures, {view}", flush=True)
                    _take(chromium, view, base, cookies, pages)
    (DOCS / "gallery.md").write_text(document.text(PAGES))
    _remove_old()
    return 0


def _wanted(names: list[str]) -> Sequence[Shown]:
    known = {page.name for page in PAGES}
    if unknown := set(names) - known:
        shown = ", ".join(sorted(known))
        raise LocalError(f"there is no page {min(unknown)!r}: name some of {shown}")
    return [page for page in PAGES if not names or page.name in names]


@contextmanager
def _served(books: stage.Books) -> Iterator[str]:
    """The app in this process, whose randomness is steady; its address."""
    server = make_server(HOST, 0, books.app, threaded=True, request_handler=Silent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def _take(
    chromium: Browser, view: camera.View, base: str, cookies: Cookies, pages: Sequence[Shown]
) -> None:
    """All pictures of one view; everybody has the same browsers in each, with the same sessions."""
    with closing(Redis.from_url(os.environ["REDIS_URL"])) as redis:
        office.forget_counts(redis)
    contexts = {who: camera.context(chromium, view, base, weeks.NOW) for who in cookies}
    for who, cookie in cookies.items():
        host = base.replace("http:", "https:")  # the cookie is for safe places; 127.0.0.1 is one
        given = [{**cookie, "url": host, "secure": True, "httpOnly": True}] if cookie else []
        contexts[who].add_cookies(given)
    for shown in pages:
        page = contexts[shown.who].new_page()
        answer = page.goto(shown.address)
        if answer is None or answer.status != shown.status:
            raise LocalError(f"{shown.name}: {answer and answer.status} from {page.url}")
        for step in shown.steps:
            step(page)
        camera.picture(page, view, DOCS / document.file(shown, str(view)))
        page.close()
    for context in contexts.values():
        context.close()


def _remove_old() -> None:
    """Pictures of pages that are no more."""
    there = {DOCS / document.file(page, str(view)) for page in PAGES for view in camera.VIEWS}
    for file in (DOCS / "gallery").glob("*.webp"):
        if file not in there:
            file.unlink()


if __name__ == "__main__":
    run_command(NAME, main)
