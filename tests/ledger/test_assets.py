"""Closed-loop assets are data: a new one needs no code, and works like those that were there."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from portal import ledger
from portal.ledger import chart, install
from portal.ledger.verify import verify
from tests.factories import Books

ADD = text("SELECT ledger.add_asset(:code, :name, :scale)")


def add(engine: Engine, code: str = "RUBY", name: str = "Rubies", scale: int = 3) -> bool:
    with engine.begin() as connection:
        return bool(connection.scalar(ADD, {"code": code, "name": name, "scale": scale}))


def test_a_new_asset_has_the_chart_of_a_credit(engine: Engine) -> None:
    assert add(engine) is True
    with engine.connect() as connection:
        install.check(connection)
        ruby = ledger.assets(connection)["RUBY"]
        query = "SELECT code FROM ledger.accounts WHERE ledger_id = :id ORDER BY id"
        codes = connection.scalars(text(query), {"id": ruby.ledger_id}).all()
    assert (ruby.name, ruby.scale, ruby.kind) == ("Rubies", 3, "credit")
    assert codes == [account.code for account in chart.CREDIT_ACCOUNTS]


def test_a_new_asset_moves_through_every_kind(engine: Engine) -> None:
    for number in range(3):
        add(engine, f"GEM_{number}", "Gems", number)
    books = Books(engine)
    owner = books.owner()
    top_up = books.top_up(owner, "GEM_2", "10.25")
    books.bonus(owner, "GEM_2", "5")
    books.reverse(owner, books.spend(owner, "GEM_2", "3.5"), "GEM_2")
    books.capture(owner, books.hold(owner, "GEM_2", "2"), "GEM_2", "1.5")
    books.release(owner, books.hold(owner, "GEM_2", "2"), "GEM_2")
    books.reverse(owner, top_up, "GEM_2")
    with engine.connect() as connection:
        wallet = ledger.wallet(connection, owner, ledger.assets(connection)["GEM_2"])
        other = ledger.wallet(connection, owner, ledger.assets(connection)["GEM_1"])
    assert (wallet.balance, other.balance) == (350, 0)
    assert verify(engine).is_clean()


def test_adding_an_asset_again_changes_nothing(engine: Engine) -> None:
    assert add(engine) is True
    assert add(engine) is False
    assert add(engine, "GOLD_COIN", "Gold Coins", 0) is False
    with engine.connect() as connection:
        install.check(connection)


@pytest.mark.parametrize(
    ("code", "name", "scale"),
    [
        ("RUBY", "Rubies", 4),
        ("RUBY", "Others", 3),
        ("DREAM", "Dream token", 18),
        ("ruby2", "Rubies", 3),
        ("", "Rubies", 3),
        ("A" * 33, "Rubies", 3),
        ("RUBY2", "", 3),
        ("RUBY2", "R" * 101, 3),
        ("RUBY2", "Ru\nbies", 3),
        ("RUBY2", " ", 3),
        ("FEES", "Fees", 3),
        ("RUBY2", "Rubies", -1),
        ("RUBY2", "Rubies", 31),
    ],
)
def test_a_scale_never_changes_and_nonsense_is_no_asset(
    engine: Engine, code: str, name: str, scale: int
) -> None:
    add(engine)
    with pytest.raises(DBAPIError, match="asset"):
        add(engine, code, name, scale)
    with engine.connect() as connection:
        install.check(connection)
