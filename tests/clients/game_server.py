"""A game server that books 10,000 wins of its own database, by the client; tests kill it and start it again.

Run as a program: how it sends (batcher or singles), the server's address, an API key, the users' ids
with commas between, how many wins, when they occurred, and a file. What the game knows is always the
same, and so are the keys, made of its own ids. The file gets the id of each win whose result came:
what stands in it is not sent again, what does not may have been booked, and is.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from dreamland_client import Dreamland, NewWin, Result, Retries

AMOUNT = "0.001"
THREADS = 8
PATIENT = Retries(attempts=1_000_000, deadline_s=120, first_s=0.02, longest_s=0.5)


class Done:
    """The rounds that were seen to, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a")
        whole, _, torn = file.read_text().rpartition("\n")
        self.rounds = {line.partition(" ")[0] for line in whole.split("\n")}
        if torn:  # a line that was being written when it was killed: it stands for nothing
            self._file.write("\n")
        self._lock = threading.Lock()

    def add(self, win: NewWin, entry_id: str) -> None:
        """Note a result."""
        with self._lock:
            self._file.write(f"{win.reference} {entry_id}\n")
            self._file.flush()


def rounds(users: list[str], count: int, at: datetime) -> list[NewWin]:
    """What the game knows: so many rounds, each won by one of the users."""
    return [
        NewWin(users[n % len(users)], AMOUNT, at, "maze", f"round-{n}", f"maze:round:{n}")
        for n in range(count)
    ]


def by_batcher(client: Dreamland, wins: list[NewWin], done: Done) -> None:
    """Send by the batcher."""

    def on_result(win: NewWin, result: Result) -> None:
        assert result.win is not None, result.error
        done.add(win, result.win.entry_id)

    # Small batches, so that there are many moments to be killed in.
    with client.batcher(on_result, max_items=100, senders=2) as batcher:
        for win in wins:
            batcher.add(win)


def by_singles(client: Dreamland, wins: list[NewWin], done: Done) -> None:
    """Send one by one, from several threads."""

    def send(win: NewWin) -> None:
        booked = client.book_win(
            win.user_id,
            amount=win.amount,
            occurred_at=win.occurred_at,
            game=win.game,
            reference=win.reference,
            idempotency_key=win.idempotency_key,
        )
        done.add(win, booked.win.entry_id)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, wins))


def main(arguments: list[str]) -> None:
    """Send what was not seen to."""
    how, base, key, users, count, at, file = arguments
    done = Done(Path(file))
    all_wins = rounds(users.split(","), int(count), datetime.fromisoformat(at))
    wins = [win for win in all_wins if win.reference not in done.rounds]
    with Dreamland(base, key, timeout=5, retries=PATIENT) as client:
        {"batcher": by_batcher, "singles": by_singles}[how](client, wins, done)


if __name__ == "__main__":
    main(sys.argv[1:])
