"""Why a job failed, as people may see it: where in the program, and of each error's text the first line.

The rest of a text may quote a row, and so what a client said or a person is called: logs leave it out, too.
"""

from dataclasses import dataclass

BEGIN = "Traceback (most recent call last):"
BETWEEN = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
UNKNOWN = "Nothing is known of why"
ABANDONED = "AbandonedJobError"
DIED = "Its worker ended without a word: it was killed, or its machine went down"
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Said:
    """The reason in a line, and the traceback."""

    reason: str
    trace: str


def said(text: str) -> Said:
    """What may be said of what rq keeps of a failure."""
    if ABANDONED in text and BEGIN not in text:
        return Said(DIED, text.strip())
    kept, last, is_message = [], "", False
    for line in text.splitlines():
        if line == BEGIN or line in BETWEEN:
            is_message = False
            kept += [line] if line == BEGIN else ["", line, ""]
        elif line.startswith("  ") and not is_message:
            kept.append(line)
        elif line and not is_message:
            is_message, last = True, line
            kept.append(line)
    return Said(last[:LONGEST] or UNKNOWN, "\n".join(kept))
