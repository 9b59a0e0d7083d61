"""Revoked keys and limited clients on a live server of two processes, over connections that are new."""

import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from portal.services import clients
from tests.concurrency.programs import eventually
from tests.concurrency.web import Caller, Web, count_of

CALLS = 300


def status(web: Web, token: str) -> int:
    """Of a call over a connection of its own: any process may take it."""
    caller = Caller(web.port, token)
    try:
        return caller.ask("GET", "/api/v1/assets").status
    finally:
        caller.close()


def test_a_revoked_key_is_refused_by_every_process_within_a_second(web: Web, app: Flask) -> None:
    with app.app_context():
        token = clients.create_key("leaving", ["read"])
        caller = clients.caller_of(token)
    assert caller
    with ThreadPoolExecutor(16) as threads:

        def ask(number: int) -> list[int]:
            return list(threads.map(lambda _: status(web, token), range(number)))

        assert count_of(ask(CALLS)) == {200: CALLS}  # every process knows the key
        with app.app_context():
            clients.revoke(caller.key_id)
        time.sleep(1)
        assert count_of(ask(CALLS)) == {401: CALLS}


def test_a_key_in_use_all_the_time_is_refused_within_a_second_and_never_again_let_in(
    web: Web, app: Flask
) -> None:
    with app.app_context():
        token = clients.create_key("busy", ["read"])
        caller = clients.caller_of(token)
    assert caller
    revoked: list[float] = []

    def keep_asking(_: int) -> list[tuple[float, int]]:
        seen: list[tuple[float, int]] = []
        while not revoked or time.monotonic() < revoked[0] + 2:
            began = time.monotonic()
            seen.append((began, status(web, token)))
        return seen

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(keep_asking, n) for n in range(8)]
        time.sleep(1)
        with app.app_context():
            clients.revoke(caller.key_id)
        revoked.append(time.monotonic())
        seen = [each for done in asking for each in done.result()]
    late = [answer for began, answer in seen if began > revoked[0] + 1]
    assert {answer for began, answer in seen if began < revoked[0] - 0.5} == {200}
    assert count_of(late) == {401: len(late)}
    assert len(late) > 10


def test_a_network_is_the_one_that_the_server_sees(web: Web, app: Flask) -> None:
    with app.app_context():
        token = clients.create_key("at-home", ["read"])
        clients.set_limits("at-home", networks=["127.0.0.1/32"])
    assert status(web, token) == 200
    with app.app_context():
        clients.set_limits("at-home", networks=["192.0.2.0/24"])
    eventually("it is forbidden", lambda: status(web, token) == 403, 2)
