"""Recordings: what game servers sent in a week, in a file, and its replay on the ledger clock.

`week.generate` makes up a realistic week, `file` is the format, `player.replay` plays days of it
and holds each outcome and balance against `model`, the rules told a second time in plain Python.
The format, and what a replay does, are written down in `file` and `player`.
"""

from portal.services.recording.file import Recording, read
from portal.services.recording.player import replay, steps
from portal.services.recording.report import Report
from portal.services.recording.week import generate

__all__ = ["Recording", "Report", "generate", "read", "replay", "steps"]
