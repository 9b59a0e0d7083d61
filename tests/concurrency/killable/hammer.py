"""Callers that move credits at random, with 50 users between them, until each call has its answer."""

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

from tests.concurrency.web import NO_ANSWER, Answer, Caller, Web

AGAIN_S = 0.05
PATIENCE_S = 90
ASSETS = ("GOLD_COIN", "DIAMOND", "LOYALTY_POINT")
POOL = 200
"""How many entries, holds and payments of late any caller may pick one from."""
MOVES = {
    "top-ups": 5,
    "bonuses": 3,
    "spends": 6,
    "holds": 5,
    "captures": 3,
    "releases": 2,
    "reversals": 3,
}


@dataclass(frozen=True)
class Booked:
    """An acknowledged call: what the answer said of its entry."""

    entry_id: str
    kind: str
    asset: str
    amount: str


@dataclass
class Hammer:
    """What all callers know and have seen. `booked` is by user and key."""

    web: Web
    owners: list[int]
    booked: dict[tuple[int, str], Booked] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    """Ids of the requests that were answered 500."""
    repeated: int = 0
    replayed: int = 0
    entries: list[str] = field(default_factory=list)
    holds: list[tuple[str, str]] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, threads: int, seconds: float, meanwhile: Any) -> None:
        """Hammer with so many threads for that long, while something else happens."""
        end = time.monotonic() + seconds
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                player = Player(self, self.web.caller(), Random(number))
                while time.monotonic() < end:
                    player.move()
            except BaseException as error:  # noqa: BLE001 - told by the test
                failed.append(error)

        started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in started:
            thread.start()
        meanwhile()
        for thread in started:
            thread.join(seconds + PATIENCE_S)
        assert not any(thread.is_alive() for thread in started)
        assert not failed, failed[0]

    def keep(self, owner: int, key: str, answer: Answer) -> None:
        """Take an acknowledgement in."""
        made = answer.body["transaction"]
        found = Booked(made["entry_id"], made["kind"], made["asset"], made["amount"])
        with self.lock:
            assert self.booked.setdefault((owner, key), found) == found
            self.replayed += answer.status == 200
            pool = self.holds if found.kind == "hold" else self.entries
            pool.append((found.entry_id, found.asset) if found.kind == "hold" else found.entry_id)  # type: ignore[arg-type]
            del pool[:-POOL]


class Player:
    """One caller: a random move at a time, sent until it is answered."""

    def __init__(self, hammer: Hammer, caller: Caller, rng: Random) -> None:
        self._hammer = hammer
        self._caller = caller
        self._rng = rng

    def move(self) -> None:
        """Any of the moves; of a hold or an entry that was made of late, by whomever."""
        rng = self._rng
        [what] = rng.choices([*MOVES], [*MOVES.values()])
        if what == "reversals":
            self._reverse()
        elif what in ("captures", "releases"):
            self._end(what)
        else:
            body = {"amount": str(rng.randrange(1, 60)), "reference": self._reference(what)}
            owner, asset = rng.choice(self._hammer.owners), rng.choice(ASSETS)
            self._send(owner, f"wallets/{asset}/{what}", body)

    def _reference(self, what: str) -> str:
        """A payment's: now and then one that was used before."""
        with self._hammer.lock:
            known = self._hammer.payments
            if what == "top-ups" and known and self._rng.random() < 0.1:
                return self._rng.choice(known)
            known.append(uuid4().hex)
            del known[:-POOL]
            return known[-1]

    def _reverse(self) -> None:
        entries = self._hammer.entries
        if entries:
            entry_id = self._rng.choice(entries)
            owner = int(entry_id.partition("-")[0])
            self._send(owner, f"entries/{entry_id}/reversals", {"reason": "hammered"})

    def _end(self, what: str) -> None:
        holds = self._hammer.holds
        if holds:
            hold_id, asset = self._rng.choice(holds)
            body = {}
            if what == "captures" and self._rng.random() < 0.7:
                body = {"amount": str(self._rng.randrange(1, 60))}
            owner = int(hold_id.partition("-")[0])
            self._send(owner, f"wallets/{asset}/holds/{hold_id}/{what}", body)

    def _send(self, owner: int, path: str, body: dict[str, str]) -> None:
        key, until = uuid4().hex, time.monotonic() + PATIENCE_S
        while not self._answered(owner, key, path, body):
            assert time.monotonic() < until, "no answer"
            self._hammer.repeated += 1
            time.sleep(AGAIN_S)

    def _answered(self, owner: int, key: str, path: str, body: dict[str, str]) -> bool:
        hammer = self._hammer
        try:
            url = f"/api/v1/users/{owner}/{path}"
            answer = self._caller.ask("POST", url, body, Idempotency_Key=key)
        except NO_ANSWER:
            return False
        hammer.statuses.add(answer.status)
        if answer.status in (200, 201):
            hammer.keep(owner, key, answer)
        elif answer.status == 500:
            hammer.faults.append(answer.body["request_id"])
        elif answer.status != 503:
            with hammer.lock:
                code = answer.body["code"]
                hammer.refused[code] = hammer.refused.get(code, 0) + 1
        return answer.status != 503
