"""bin/flask: the app's command line, with the services up for as long as it runs.

Runs Flask in this very process: a command is often called in a loop, and a second start of
Python would double what it takes.
"""

import sys

from local.environment import ROOT, environment
from local.errors import run_command


def main() -> int:
    """Run one command of the app, which ends this process with its own exit status."""
    with environment():
        from flask.cli import cli  # noqa: PLC0415 - quick to fail when a service is away

        arguments = ["--app", str(ROOT / "wsgi.py"), *sys.argv[1:]]
        cli.main(args=arguments, prog_name="bin/flask")


if __name__ == "__main__":
    run_command("bin/flask", main)
