"""Where webhooks may go: no private address, whatever a URL, a name or a redirect says."""

import threading
from contextlib import closing

import pytest

from portal.services.webhooks.addresses import (
    NOT_PUBLIC,
    NotAllowed,
    Rules,
    addresses,
    is_public,
    parse,
)
from portal.services.webhooks.sending import Sender
from tests.receiver import Message, Receiver

STRICT = Rules(plain_http=False, private=False)
PUBLIC_ONLY = Rules(plain_http=True, private=False)
LAX = Rules(plain_http=True, private=True)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        "0.0.0.0",  # noqa: S104 - to be refused
        *("169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
        *("ff02::1", "2001:db8::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("fec0::1", "fec0:0:0:ffff::1", "192.0.0.8", "192.0.0.9", "192.0.0.192", "192.88.99.1"),
        *("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "::ffff:168.63.129.16"),
        *("2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:192.168.1.1", "fe80::5efe:1.1.1.1"),
        *("2002:101:101::5efe:10.0.0.1", "64:ff9b::168.63.129.16", "3fff::1", "5f00::1"),
        *(
            "::ffff:0:10.0.0.1",
            "4000::1",
            "64:ff9b:1::7f00:1",
            "::127.0.0.1",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "nonsense",
        ),
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_told(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::",
        "2606:4700::5efe:1.1.1.1",
    ],
)
def test_an_address_of_the_open_internet_is_told(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "https://user:pass@example.com/", "https://@example.com/"),
        *("https://example.com/#x", "https://", "https:///x", "https://exa mple.com/"),
        *("https://example.com:22/", "https://example.com:0/", "https://example.com:70000/"),
        *("https://example.com/\r\nX: y", "https://ex\u00e4mple.com/", "ftp://example.com/"),
        *("file:///etc/passwd", "https://[::1", "https://a%2fb/", "https://a/" + "x" * 2000),
    ],
)
def test_a_url_that_says_something_odd_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        parse(url, STRICT)


def test_a_url_is_taken_apart_as_a_request_needs_it() -> None:
    target = parse("https://Hooks.Example.com:8443/a/b?c=d", STRICT)
    assert (target.is_https, target.host, target.port) == (True, "hooks.example.com", 8443)
    assert target.path == "/a/b?c=d"
    assert parse("https://example.com", STRICT).path == "/"
    assert parse("http://[::1]/", LAX).host == "::1"


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    target = parse("https://example.com/", STRICT)
    assert addresses(target, STRICT, lambda *_: ["1.1.1.1"]) == ["1.1.1.1"]
    with pytest.raises(NotAllowed, match="no public address"):
        addresses(target, STRICT, lambda *_: ["1.1.1.1", "10.0.0.1"])


def test_a_name_that_is_not_there_and_one_of_our_own_network_are_refused_in_the_same_words() -> (
    None
):
    def refused(found: list[str]) -> str:
        with pytest.raises(NotAllowed) as error:
            addresses(parse("https://db.internal/", STRICT), STRICT, lambda *_: found)
        return str(error.value)

    assert refused([]) == refused(["10.0.0.1"])


def test_a_name_server_that_says_nothing_is_not_waited_for_longer() -> None:
    answers = threading.Event()

    def lookup(_host: str, _port: int) -> list[str]:
        answers.wait()
        return ["1.1.1.1"]

    with pytest.raises(NotAllowed):
        addresses(parse("https://example.com/", STRICT), STRICT, lookup, 0.2)
    with closing(Sender("https://example.com/", STRICT, 0.2, lookup)) as sender:
        assert sender.post(b"{}", {}).failure == f"not allowed: {NOT_PUBLIC}"
    answers.set()


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost"])
def test_an_address_in_disguise_is_refused(host: str) -> None:
    answer = Sender(f"http://{host}:8080/", PUBLIC_ONLY, 1).post(b"{}", {})
    assert answer.failure is not None
    assert answer.failure.startswith("not allowed: ")


def test_a_name_that_turns_private_after_it_was_checked_is_not_connected_to(
    receiver: Receiver,
) -> None:
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    url = f"http://hooks.test:{receiver.port}/"

    def lookup(_host: str, _port: int) -> list[str]:
        return next(answers)

    assert addresses(parse(url, PUBLIC_ONLY), PUBLIC_ONLY, lookup) == ["1.1.1.1"]
    answer = Sender(url, PUBLIC_ONLY, 1, lookup).post(b"{}", {})
    assert answer.failure == f"not allowed: {NOT_PUBLIC}"
    assert receiver.connections == 0


def test_a_name_is_looked_up_once_and_the_connection_goes_to_that_address(
    receiver: Receiver,
) -> None:
    asked: list[str] = []

    def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    sender = Sender(f"http://hooks.test:{receiver.port}/", LAX, 2, lookup)
    message = {"webhook-id": "1-1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    for _ in range(3):
        assert sender.post(b"{}", message).failure is None
    sender.close()
    assert asked == ["hooks.test"]
    assert receiver.connections == 1
    assert receiver.seen[0].headers["host"] == f"hooks.test:{receiver.port}"


def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver) -> None:
    inside = Receiver()

    def redirect(message: Message) -> None:
        message.handler.send_response(307)
        message.handler.send_header("Location", inside.url)
        message.handler.send_header("Content-Length", "0")
        message.handler.end_headers()

    receiver.answer = redirect
    message = {"webhook-id": "1-1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    with closing(Sender(receiver.url, LAX, 2)) as sender:
        answer = sender.post(b"{}", message)
    inside.close()
    assert answer.failure == "answered 307: redirects are not followed"
    assert inside.seen == []


def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    message = {"webhook-id": "1-1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    with closing(Sender(receiver.url, LAX, 2)) as sender:
        assert sender.post(b"{}", message).failure is None
