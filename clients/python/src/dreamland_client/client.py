"""The client: one object for a program, shared by its threads."""

from types import TracebackType

from dreamland_client.calls.base import Remembered
from dreamland_client.calls.books import BooksCalls
from dreamland_client.calls.endpoints import WebhookEndpoints
from dreamland_client.calls.holds import Holds
from dreamland_client.calls.imports import Imports
from dreamland_client.calls.users import Users
from dreamland_client.calls.wallets import Wallets
from dreamland_client.calls.wins import Wins
from dreamland_client.retries import Retries
from dreamland_client.transport import Transport


class Dreamland(Users, Wins, Wallets, Holds, BooksCalls, Imports, WebhookEndpoints):
    """Every call of the API.

    `timeout` is of one attempt, in seconds. `retries` says how a call that may safely be sent again
    is; a whole number is how many attempts follow the first. `connections` are kept open, one a
    thread at work. `remember` is how many answers to reads are kept with their ETags.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 10.0,
        retries: Retries | int | None = None,
        connections: int = 16,
        remember: int = 0,
    ) -> None:
        if isinstance(retries, int):
            retries = Retries(attempts=retries + 1)
        transport = Transport(base_url, api_key, timeout, retries or Retries(), connections)
        super().__init__(transport, Remembered(remember))

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def __enter__(self) -> "Dreamland":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()
