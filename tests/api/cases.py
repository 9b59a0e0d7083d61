"""What a table of refusals is made of: a request, and the problem it is answered with."""

from dataclasses import dataclass, field
from typing import Any

USER, WINS, BATCH = "/users/{user}", "/users/{user}/wins", "/wins/batch"
WALLET = "/users/{user}/wallets"
TODAY, USD = "/users/{user}/tokens/today", "/users/{user}/usd/history"


@dataclass(frozen=True)
class Case:
    """A request and its refusal. `change` changes a win's body that is fine; None leaves a field out."""

    status: int
    code: str
    param: str | None = None
    method: str = "POST"
    path: str = WINS
    change: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    key: str | None = "k"
    token: str | None = ""


def get(status: int, code: str, path: str, param: str | None = None, **more: Any) -> Case:
    return Case(status, code, param, method="GET", path=path, key=None, **more)
