"""Passwords: argon2id with the parameters that OWASP recommends, as the machine has little memory.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.ledger.errors import Refused

MIN, MAX = 10, 200
"""Characters."""
FEWEST_DIFFERENT = 5
COMMONEST = frozenset(
    files("portal.services.accounts").joinpath("commonest.txt").read_text().split()
)
"""Of ten characters and more."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_turn = BoundedSemaphore(2)
"""Two at a time, 19 MiB each: a crowd at the door must not take the memory of those inside."""


def check(password: str, email: str) -> None:
    """Raises Refused('validation_failed') for a password that would be guessed."""
    small = password.lower()
    if not MIN <= len(password) <= MAX:
        raise _refused(f"a password has from {MIN} to {MAX} characters")
    if email and (small in email.lower() or email.lower().partition("@")[0] == small):
        raise _refused("the password must not be the e-mail address")
    if small in COMMONEST or len(set(small)) < FEWEST_DIFFERENT:
        raise _refused("this password is among the first to be guessed: choose another")


def hash_of(password: str) -> str:
    """What is kept of a password."""
    with _turn:
        return _hasher.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was kept; of nobody's (None) it takes as long to say no."""
    try:
        with _turn:
            _hasher.verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_dated(kept: str) -> bool:
    """Whether it was made with other parameters than those of now."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody's")


def _refused(detail: str) -> Refused:
    return Refused("validation_failed", detail, param="password")
