"""What the accountants' programs say of a journal: bean-check, Beancount's loader and hledger."""

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core import realization
from beancount.core.data import Transaction

UTF_8 = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
SECONDS = 120


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        command, capture_output=True, timeout=SECONDS, check=False, env=UTF_8, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done.stderr[:2000]}"
    return done.stdout


def bean_check(file: Path) -> None:
    """It finds no fault."""
    _run(sys.executable, "-m", "beancount.scripts.check", file)


def of_beancount(file: Path) -> tuple[list[Transaction], dict[str, Decimal]]:
    """The transactions, and the balance of each account, which has one commodity."""
    entries, errors, _ = loader.load_file(str(file))
    assert not errors, [error.message for error in errors[:3]]
    balances = {}
    for account in realization.iter_children(realization.realize(entries), leaf_only=True):
        positions = list(account.balance)
        assert len(positions) <= 1
        balances[account.account] = positions[0].units.number if positions else Decimal(0)
    return [entry for entry in entries if isinstance(entry, Transaction)], balances


def hledger_check(hledger: Path, file: Path) -> None:
    """It finds no fault, and no name that was not declared."""
    _run(hledger, "--file", file, "check", "--strict")


def of_hledger(hledger: Path, file: Path) -> dict[str, Decimal]:
    """The balance of each account, which has one commodity."""
    told = _run(
        *(hledger, "--file", file, "balance", "--flat", "--empty", "--no-total"),
        *("--output-format", "csv", "--layout", "bare"),
    )
    balances: dict[str, Decimal] = {}
    for row in csv.DictReader(StringIO(told)):
        balance = Decimal(row["balance"])
        assert not balance or not balances.get(row["account"])
        balances[row["account"]] = balances.get(row["account"]) or balance
    return balances


def transactions_of_hledger(hledger: Path, file: Path) -> list[dict[str, Any]]:
    """Each transaction as it understood it."""
    told: list[dict[str, Any]] = json.loads(
        _run(hledger, "--file", file, "print", "--output-format", "json")
    )
    return told
