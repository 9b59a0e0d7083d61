"""What the tests of mails share: a mail server, and an app that sends to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from config import Settings
from portal import create_app
from portal.services.mails import transports
from tests.smtp_server import PASSWORD, USER, SmtpServer, smtp_server

CREDENTIALS = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"
Sending = Callable[[str], "object"]


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Not up yet; its certificate counts."""
    with smtp_server(tmp_path) as (made, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        transports._tls.cache_clear()
        yield made
    transports._tls.cache_clear()


@contextmanager
def sending_to(url: str, settings: Settings) -> Iterator[Flask]:
    """An app whose mails go there, in its context."""
    app = create_app(replace(settings, mail_url=url))
    with app.app_context():
        yield app
    app.extensions["dreamland"].engine.dispose()
