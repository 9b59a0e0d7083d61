"""Failures a person at the terminal can act on, and their one line on stderr."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn


class LocalError(Exception):
    """What happened and what to do, in one line that needs no traceback."""


def run_command(name: str, main: Callable[[], int]) -> NoReturn:
    """Run a command's `main` and exit with its status; known failures become one line."""
    try:
        status = main()
    except LocalError as error:
        status = complain(name, str(error))
    except ModuleNotFoundError as error:
        status = complain(name, missing_module(error.name or str(error)))
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # whoever read the output has left, as in `bin/run | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    sys.exit(status)


def complain(name: str, message: str) -> int:
    """Say what went wrong; the answer is the exit status for it."""
    print(f"{name}: {message}", file=sys.stderr, flush=True)
    return 1


def missing_module(name: str) -> str:
    """The line for a module that requirements.txt or the checkout should have provided."""
    return f"the Python module {name} is missing: delete .venv and start again to reinstall it."


@contextmanager
def plain_io_errors(directory: Path) -> Iterator[None]:
    """Turn the file errors of a directory that cannot be used into one line."""
    try:
        yield
    except OSError as error:
        where, reason = error.filename or directory, error.strerror or str(error)
        message = f"cannot use {where}: {reason}. Set VAR_DIR to a directory of yours."
        raise LocalError(message) from error
