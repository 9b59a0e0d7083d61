"""The payment behind a top-up counts once a provider, whoever sends it and whatever became of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import Api
from tests.api.purse import Purse, refused, replayed

REUSED = "payment_reference_reused"
CLAIMS = "SELECT count(*) FROM ledger.payment_claims WHERE reference = :reference"
PROVIDER = """
SELECT p.provider FROM ledger.postings p WHERE p.owner_id = :user ORDER BY p.seq DESC, p.line LIMIT 1
"""


@pytest.fixture
def purse(api: Api) -> Purse:
    return Purse(api, api.user())


@pytest.fixture
def other(api: Api) -> Purse:
    """Another user's."""
    return Purse(api, api.user())


@pytest.fixture
def payment(api: Api) -> dict[str, Any]:
    """A payment that nobody has sent yet."""
    return {"amount": "10", "reference": api.new_key(), "provider": "psp"}


def read(api: Api, query: str, **values: Any) -> Any:
    with api.owner.connect() as connection:
        return connection.scalar(text(query), values)


def test_a_payment_is_booked_once_by_whichever_key_user_client_or_asset(
    purse: Purse, other: Purse, payment: dict[str, Any]
) -> None:
    shop = purse.api.key_with("wallets:write", client="shop")
    purse.book("top-ups", **payment)
    before = purse.api.rows()
    diamonds = Purse(purse.api, purse.user, "DIAMOND")
    for answer in (
        purse.send("top-ups", **payment),
        purse.send("top-ups", **payment | {"amount": "11"}),
        purse.send("top-ups", **payment, token=shop),
        other.send("top-ups", **payment),
        diamonds.send("top-ups", **payment),
    ):
        refused(answer, REUSED, param="reference")
    assert purse.api.rows() == before
    assert purse.now()[0] == "10"


def test_another_provider_may_use_the_same_reference(
    purse: Purse, other: Purse, payment: dict[str, Any]
) -> None:
    purse.book("top-ups", **payment)
    other.book("top-ups", **payment | {"provider": "another"})
    del payment["provider"]
    purse.book("top-ups", **payment)
    refused(purse.send("top-ups", **payment | {"provider": "default"}), REUSED)
    for provider in ("PSP", "psp ", "p\u200bsp"):
        purse.book("top-ups", **payment | {"provider": provider})


def test_the_posting_names_the_provider(purse: Purse, payment: dict[str, Any]) -> None:
    purse.book("top-ups", **payment)
    assert read(purse.api, PROVIDER, user=int(purse.user)) == "psp"
    purse.top_up("1")
    assert read(purse.api, PROVIDER, user=int(purse.user)) == "default"


def test_references_of_other_calls_may_repeat(purse: Purse, payment: dict[str, Any]) -> None:
    said = {"amount": "1", "reference": payment["reference"]}
    for call in ("bonuses", "spends", "holds", "bonuses", "spends"):
        purse.top_up("1")
        purse.book(call, **said)
    purse.book("top-ups", **payment)


def test_a_retry_with_its_key_is_a_replay(purse: Purse, payment: dict[str, Any]) -> None:
    first = purse.send("top-ups", key="k", **payment)
    for _ in range(2):
        replayed(first, purse.send("top-ups", key="k", **payment))
    assert purse.now()[0] == "10"


def test_a_payment_stays_booked_after_its_reversal(
    purse: Purse, other: Purse, payment: dict[str, Any]
) -> None:
    first = purse.send("top-ups", key="k", **payment)
    assert first.json
    assert purse.reverse(first.json["transaction"]["entry_id"]).status_code == 201
    for each in (purse, other):
        refused(each.send("top-ups", **payment), REUSED)
    replayed(first, purse.send("top-ups", key="k", **payment))
    purse.api.books.set_clock(purse.api.now() + timedelta(days=3))
    refused(other.send("top-ups", **payment), REUSED)
    assert purse.now()[0] == "0"


def test_a_key_that_was_used_claims_no_payment(
    purse: Purse, other: Purse, payment: dict[str, Any]
) -> None:
    purse.book("top-ups", "1", key="k", reference=purse.api.new_key())
    purse.book("bonuses", "1", key="b")
    for key in ("k", "b"):
        refused(purse.send("top-ups", key=key, **payment), "idempotency_key_reused")
    assert read(purse.api, CLAIMS, reference=payment["reference"]) == 0
    other.book("top-ups", **payment)


def test_a_key_of_a_top_up_with_another_amount_is_refused_for_its_key(
    purse: Purse, payment: dict[str, Any]
) -> None:
    purse.book("top-ups", key="k", **payment)
    changed = payment | {"amount": "11"}
    refused(purse.send("top-ups", key="k", **changed), "idempotency_key_reused")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "0.5"}, "invalid_amount"),
        ({"amount": str(2**256)}, "invalid_amount"),
        ({"provider": ""}, "validation_failed"),
        ({"description": "a\x00b"}, "validation_failed"),
        ({"extra": 1}, "validation_failed"),
    ],
)
def test_a_top_up_that_is_refused_leaves_its_payment_free(
    purse: Purse, payment: dict[str, Any], change: dict[str, Any], code: str
) -> None:
    refused(purse.send("top-ups", key="k", **payment | change), code)
    assert read(purse.api, CLAIMS, reference=payment["reference"]) == 0
    purse.book("top-ups", key="k", **payment)


def test_nobodys_top_up_leaves_the_payment_free(
    api: Api, purse: Purse, payment: dict[str, Any]
) -> None:
    for nobody in ("999999999999", "0"):
        missing = Purse(api, nobody)
        refused(missing.send("top-ups", **payment), "unknown_user")
    assert read(api, CLAIMS, reference=payment["reference"]) == 0
    refused(Purse(api, purse.user, "USD").send("top-ups", **payment), "asset_not_allowed")
    assert read(api, CLAIMS, reference=payment["reference"]) == 0
    purse.book("top-ups", **payment)


@pytest.mark.parametrize(
    "words", ["x" * 200, "🎲" * 200, "日本語", " ", "'; --", "a\u202eb", '\\"']
)
def test_any_text_of_up_to_200_characters_names_a_payment(
    purse: Purse, other: Purse, words: str
) -> None:
    said = {"amount": "1", "reference": words, "provider": words}
    assert purse.book("top-ups", **said)["transaction"]["reference"] == words
    refused(other.send("top-ups", **said), REUSED)
    assert purse.lines()[0]["reference"] == words
