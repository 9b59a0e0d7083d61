"""Books at random, through the real posting path: every kind, huge amounts, and all that a client may say."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from flask import Flask

from portal import ledger
from portal.ledger import amounts
from portal.ledger.posting import Entry
from tests.factories import Books, convert_due

NASTY = (
    *('"', "\\", "\\n", "a\nb", "a\r\nb", "\t", ";", "a ; b", "a, b", "|", "a | b", "(x)", "* !"),
    *('a" "b', 'x\\"', "#tag ^link", "date:2026-99-99", "[2026-99-99]", "type: Q", "=1+1", " x "),
    *(
        "2026-01-01 * x\n  Assets:A  1 USD",
        "\x1b[31m\x85",
        "\u2028\u2029",
        "\u202eolleh",
        "😀 漢字",
    ),
    *("include /etc/passwd", "comment\nend comment", "\ufeff", "%", "'", "~", "@@ {1 USD}"),
    *("\ufffe\uffff", "x" * 2000),
)
KINDS = (
    *("win", "win", "top_up", "top_up", "bonus", "spend", "spend", "hold", "hold"),
    *("capture", "release", "reversal", "reversal", "hour", "fee rule"),
)
AFTER = {
    "capture": ("hold",),
    "release": ("hold",),
    "reversal": ("win", "top_up", "bonus", "spend"),
}
"""Kinds that name an entry of another kind."""
LETTERS = (
    *range(1, 0x250),
    *range(0x2000, 0x2100),
    *range(0xFE00, 0x10000),
    *range(0x1F600, 0x1F650),
)


def said(chance: random.Random) -> str | None:
    """What a client says: nothing, something nasty, or anything at all."""
    one = chance.randrange(3)
    if one == 0:
        return None
    if one == 1:
        return chance.choice(NASTY)
    return "".join(map(chr, chance.choices(LETTERS, k=chance.randrange(30))))


@dataclass(frozen=True)
class Credit:
    """An asset, and the most base units of one entry in it."""

    code: str
    scale: int
    most: int


class RandomBooks:
    """The books of three users, as they go on."""

    def __init__(self, books: Books, app: Flask) -> None:
        self.books, self.app = books, app
        self.users = [books.owner(zone) for zone in ("UTC", "Asia/Kolkata", "America/Lima")]
        self.done: dict[tuple[int, str, str], list[int]] = defaultdict(list)
        self.ruled: datetime | None = None
        self.posted: Counter[str] = Counter()

    @property
    def today(self) -> date:
        return self.books.now().astimezone(UTC).date()

    def add_credit(self, code: str, scale: int, digits: int) -> Credit:
        with self.books.engine.begin() as connection:
            ledger.add_asset(connection, code, 'A; "strange" \\ 😀', scale)
            self.books._assets = ledger.assets(connection)
        return Credit(code, scale, 10**digits)

    def go_on(self, chance: random.Random, credit: Credit) -> None:
        """Something happens to somebody; what the books refuse is not booked."""
        kind = chance.choice(KINDS)
        if kind == "hour":
            self.books.next_hour()
            with self.app.app_context():
                convert_due()
        elif kind == "fee rule":
            self._add_fee_rule(chance)
        else:
            self._post(chance, kind, credit)

    def _add_fee_rule(self, chance: random.Random) -> None:
        """Of the next hour, unless it has one."""
        hour = self.books.now().replace(minute=0, second=0, microsecond=0)
        if self.ruled != hour:
            self.books.add_fee_rule("win", f"0.00{chance.randrange(1, 10**15)}")
            self.books.add_fee_rule("conversion", "0.0001", chance.randrange(300))
            self.ruled = hour

    def _post(self, chance: random.Random, kind: str, credit: Credit) -> None:
        user = chance.choice(self.users)
        asset, scale, most = credit.code, credit.scale, credit.most
        if kind == "win" or (kind == "reversal" and chance.randrange(2)):
            asset, scale, most = "DREAM", 18, 10**18
        before = [seq for of in AFTER.get(kind, ()) for seq in self.done[user, asset, of]]
        if kind in AFTER and not before:
            return
        names = {"reversal": "reverses", "capture": "ends", "release": "ends"}
        units = None if kind in {"reversal", "release"} else 1 + chance.randrange(most)
        entry = self.books.entry(
            *(kind, user, units and amounts.text(units, scale)),
            asset=asset,
            at=self.books.now() if kind == "win" else None,
            **({names[kind]: chance.choice(before)} if kind in AFTER else {}),
        )
        [outcome] = self.books.post(_spoken(chance, entry))
        if outcome.status == "posted" and outcome.seq:
            self.done[user, asset, kind].append(outcome.seq)
            self.posted[kind] += 1


def _spoken(chance: random.Random, entry: Entry) -> Entry:
    """The entry with what its client says; a top-up keeps the reference that was claimed."""
    made = replace(entry, game=said(chance), description=said(chance), reason=said(chance))
    return made if entry.kind == "top_up" else replace(made, reference=said(chance))
