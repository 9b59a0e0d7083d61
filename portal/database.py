"""The one SQLAlchemy object. Every connection of the app acts as the role that may not write money."""

from typing import TYPE_CHECKING, Any

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from config import Settings

APP_ROLE = "dreamland_app"

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

db = SQLAlchemy(metadata=MetaData(naming_convention=NAMING))
migrate = Migrate()

if TYPE_CHECKING:  # Flask-SQLAlchemy makes the base of models at run time, where mypy can't see it
    from sqlalchemy.orm import DeclarativeBase

    class Model(DeclarativeBase):
        """Base of all models."""
else:
    Model = db.Model


def engine_options(settings: Settings) -> dict[str, Any]:
    """Options of the app's engine: the role without rights on the ledger, UTC, bounded statements."""
    options = {
        "role": APP_ROLE,
        "timezone": "UTC",
        "statement_timeout": f"{settings.statement_timeout_ms}",
        "lock_timeout": "10000",
        "idle_in_transaction_session_timeout": "60000",
        # `enable_seqscan = off` of ledger.post makes its plans look dear, and compiling them to
        # machine code made a win of 4.5 ms one of 108 on PostgreSQL 15.
        "jit": "off",
    }
    return {
        # As many as a process has threads, kept open: one beyond these would be made for a read and closed.
        "pool_size": 35,
        "max_overflow": 0,
        "pool_pre_ping": True,  # a connection that broke while nobody used it is made again
        "hide_parameters": True,  # no client text in an error's message
        "connect_args": {
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "connect_timeout": 5,
            # A server that is gone without a word is noticed; it would hang a job for two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30000,
            "application_name": "dreamland",
        },
    }
