"""Health: alive, and ready to take wins. No key."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.api.answers.health import HealthAnswer, ReadinessAnswer
from portal.api.calls import call
from portal.runtime import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@call(answers={200: HealthAnswer})
def get_health() -> Response:
    """Ask whether the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@call(answers={200: ReadinessAnswer, 503: ReadinessAnswer})
def get_readiness() -> tuple[Response, int]:
    """Ask whether wins can be taken.

    The database answers and the poster lives. Redis is not asked: a win does not need it.
    """
    checks = {"database": _database_answers(), "poster": runtime().poster.is_healthy()}
    ready = all(checks.values())
    words = {name: "ok" if fine else "failed" for name, fine in checks.items()}
    return jsonify(status="ready" if ready else "not ready", **words), 200 if ready else 503


def _database_answers() -> bool:
    try:
        with runtime().engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
