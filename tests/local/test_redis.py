"""The embedded Redis: a queue that forgets nothing."""

import stat
import time

import pytest
from redis import Redis as Client

from local.errors import LocalError
from local.redis import Redis


def test_a_key_survives_a_restart(redis_server: Redis) -> None:
    with Client.from_url(redis_server.url) as client:
        client.set("kept", "yes")
    before = redis_server.url
    assert redis_server.restart() == before
    with Client.from_url(redis_server.url) as client:
        assert client.get("kept") == b"yes"


def test_it_starts_again_after_its_process_was_killed(redis_server: Redis) -> None:
    with Client.from_url(redis_server.url) as client:
        client.set("killed", "no")
        time.sleep(1.1)  # the file is flushed once a second
    redis_server.kill()
    redis_server.start()
    with Client.from_url(redis_server.url) as client:
        assert client.get("killed") == b"no"


def test_only_its_own_user_can_reach_it(redis_server: Redis) -> None:
    assert stat.S_IMODE(redis_server.socket_directory.stat().st_mode) == stat.S_IRWXU
    with Client.from_url(redis_server.url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_it_refuses_to_forget_jobs_when_memory_is_short(redis_server: Redis) -> None:
    with Client.from_url(redis_server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_second_server_on_the_same_directory_is_refused(redis_server: Redis) -> None:
    with pytest.raises(LocalError, match="in use by another process"):
        Redis(redis_server.data).start()
