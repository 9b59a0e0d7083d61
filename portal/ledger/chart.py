"""The chart of accounts, the kinds of entry and the account pairs each kind may touch.

Read it like a document. `install` writes the same tables into the database, where the posting
function checks every entry against them; `check` refuses to run on a database that says otherwise.
Rules: section 3 of the design, told in prose in README.md beside this file.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

AccountType = Literal["asset", "liability", "equity", "income", "expense"]
Scope = Literal["user", "company"]
Role = Literal["amount", "converted", "fee", "rest"]
HoldStep = Literal["opens", "captures", "releases"]

TOKEN_SCALE = USD_SCALE = 18
DAY_LIMIT = 5 * 10**TOKEN_SCALE
"""Base units of DREAM that a user may win for one local day."""

HOUSE = 0
"""The owner of entries that concern no user, in the region whose number is 0."""


@dataclass(frozen=True)
class Asset:
    """A unit of value; `scale` is the number of decimals and never changes."""

    code: str
    name: str
    scale: int
    kind: Literal["token", "currency", "credit"]


@dataclass(frozen=True)
class Account:
    """One line of the chart. `day_limit` bounds, in base units, what a day may credit to it."""

    code: str
    type: AccountType
    scope: Scope
    never_negative: bool = False
    day_limit: int | None = None

    @property
    def normal_side(self) -> Literal["debit", "credit"]:
        """The side that adds to the balance."""
        return "debit" if self.type in ("asset", "expense") else "credit"


@dataclass(frozen=True)
class Ledger:
    """The books of one asset for one purpose."""

    id: int
    code: str
    asset: str
    accounts: tuple[Account, ...]


@dataclass(frozen=True)
class Pair:
    """A posting that a kind makes: `debit` <- `credit` in `ledger`; `role` says which amount.

    `rest` is what a capture leaves of its hold. An amount of zero makes no posting.
    """

    ledger: str
    debit: str
    credit: str
    role: Role = "amount"


@dataclass(frozen=True)
class Kind:
    """A business event. A credit kind's pairs name the accounts of whichever ledger it is for.

    `hold` is what it does to a hold; `names_provider` says that its posting names who was paid.
    """

    id: int
    code: str
    pairs: tuple[Pair, ...] = ()
    reversible: bool = False
    hold: HoldStep | None = None
    names_provider: bool = False


ASSETS = (  # those that every database starts with; credits are added by ledger.add_asset
    Asset("DREAM", "Dream token", TOKEN_SCALE, "token"),
    Asset("USD", "US dollar", USD_SCALE, "currency"),
    Asset("GOLD_COIN", "Gold Coins", 0, "credit"),
    Asset("DIAMOND", "Diamonds", 0, "credit"),
    Asset("LOYALTY_POINT", "Loyalty Points", 2, "credit"),
)

AVAILABLE, HELD = "INVENTORY", "HELD"
"""The two accounts of a credit's wallet: what may be spent, and what holds have set aside."""

CREDIT_ACCOUNTS = (
    Account(AVAILABLE, "asset", "user", never_negative=True),
    Account(HELD, "asset", "user", never_negative=True),
    Account("TREASURY", "equity", "company"),
    Account("PROMOTIONS", "income", "company"),
    Account("REVENUE", "expense", "company"),
    Account("EXPIRED", "expense", "company"),
)

FIXED_LEDGERS = (
    Ledger(
        1,
        "DREAM",
        "DREAM",
        (
            Account("TOKENS_INVENTORY", "asset", "user", never_negative=True),
            Account("TOKENS_EARNED", "income", "user", day_limit=DAY_LIMIT),
            Account("TOKENS_EXCHANGED", "expense", "user"),
        ),
    ),
    Ledger(
        2,
        "USD",
        "USD",
        (
            Account("USD_INVENTORY", "asset", "user", never_negative=True),
            Account("USD_EARNED", "income", "user"),
        ),
    ),
    Ledger(
        3,
        "FEES",
        "USD",
        (
            Account("FEE_ISSUANCE", "expense", "company"),
            Account("FEE_CONVERSION", "expense", "company"),
            Account("FEES_PAYABLE", "liability", "company"),
            Account("CASH", "asset", "company"),
        ),
    ),
)

CREDIT = "*"
"""In a pair: the ledger of whichever credit the entry is in."""

KINDS = (
    Kind(
        1,
        "win",
        (
            Pair("DREAM", "TOKENS_INVENTORY", "TOKENS_EARNED"),
            Pair("FEES", "FEE_ISSUANCE", "FEES_PAYABLE", "fee"),
        ),
        reversible=True,
    ),
    Kind(
        2,
        "conversion",
        (
            Pair("DREAM", "TOKENS_EXCHANGED", "TOKENS_INVENTORY"),
            Pair("USD", "USD_INVENTORY", "USD_EARNED", "converted"),
            Pair("FEES", "FEE_CONVERSION", "FEES_PAYABLE", "fee"),
        ),
    ),
    Kind(
        3,
        "top_up",
        (Pair(CREDIT, "INVENTORY", "TREASURY"),),
        reversible=True,
        names_provider=True,
    ),
    Kind(4, "bonus", (Pair(CREDIT, "INVENTORY", "PROMOTIONS"),), reversible=True),
    Kind(5, "spend", (Pair(CREDIT, "REVENUE", "INVENTORY"),), reversible=True),
    Kind(6, "hold", (Pair(CREDIT, "HELD", "INVENTORY"),), hold="opens"),
    Kind(
        7,
        "capture",
        (Pair(CREDIT, "REVENUE", "HELD"), Pair(CREDIT, "INVENTORY", "HELD", "rest")),
        hold="captures",
    ),
    Kind(8, "release", (Pair(CREDIT, "INVENTORY", "HELD"),), hold="releases"),
    Kind(9, "expiry", (Pair(CREDIT, "EXPIRED", "INVENTORY"),)),
    Kind(10, "fee_settlement", (Pair("FEES", "FEES_PAYABLE", "CASH"),)),
    Kind(11, "reversal"),
)
"""A reversal turns each posting of a reversible entry round; its pairs follow from theirs."""

HOLD_DEFAULT = timedelta(days=7)
HOLD_LONGEST = timedelta(days=31)
"""How long a hold stays open where nothing is said, and at most."""
