"""Gives a job the app it works in: one for each process, made at the first job."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from flask import Flask, has_app_context

P = ParamSpec("P")
R = TypeVar("R")


@lru_cache(maxsize=1)
def app() -> Flask:
    """The process's app."""
    from portal import create_app  # noqa: PLC0415 - create_app imports what enqueues jobs

    return create_app()


def in_app(job: Callable[P, R]) -> Callable[P, R]:
    """Run a job in the app's context, or in the one it is called in."""

    @wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if has_app_context():
            return job(*args, **kwargs)
        with app().app_context():
            return job(*args, **kwargs)

    return run
