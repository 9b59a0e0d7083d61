"""The wish that an account be deleted: asked for, withdrawn. What is kept of the user goes later, by a job."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit, mails
from portal.services.accounts import signing_in
from portal.services.models import DeletionRequest, SignIn


def asked_at(user_id: int) -> datetime | None:
    """When it was asked for; None while it is not."""
    query = select(DeletionRequest.requested_at).where(*_open(user_id))
    with runtime().snapshot() as connection:
        return connection.scalar(query)


def ask(sign_in_id: int, password: str) -> None:
    """Ask for the deletion of a user's account.

    Raises Refused('validation_failed', 'rate_limited', 'deletion_asked') and NotFound('unknown_user').
    """
    signing_in.confirm(sign_in_id, password)
    try:
        with mails.sending() as connection:
            user_id, email = _user_of(connection, sign_in_id)
            row = {"user_id": user_id, "requested_at": ledger.now(connection)}
            made = insert(DeletionRequest).values(row).returning(DeletionRequest.id)
            request_id = connection.execute(made).scalar_one()
            audit.record(connection, "deletion.asked", "deletion_request", request_id)
            mails.queue(connection, "deletion_asked", email)
    except IntegrityError as error:
        raise Refused("deletion_asked", "the deletion was asked for before") from error


def withdraw(sign_in_id: int) -> None:
    """Take it back. Raises Refused('deletion_not_asked') and NotFound('unknown_user')."""
    with mails.sending() as connection:
        user_id, email = _user_of(connection, sign_in_id)
        this = update(DeletionRequest).where(*_open(user_id))
        taken = this.values(withdrawn_at=ledger.now(connection)).returning(DeletionRequest.id)
        request_id = connection.execute(taken).scalar()
        if request_id is None:
            raise Refused("deletion_not_asked", "there is no deletion to take back")
        audit.record(connection, "deletion.withdrawn", "deletion_request", request_id)
        mails.queue(connection, "deletion_withdrawn", email)


def _open(user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        DeletionRequest.user_id == user_id,
        DeletionRequest.withdrawn_at.is_(None),
        DeletionRequest.done_at.is_(None),
    )


def _user_of(connection: Connection, sign_in_id: int) -> tuple[int, str]:
    query = select(SignIn.user_id, SignIn.email).where(SignIn.id == sign_in_id)
    user_id, email = connection.execute(query).one()
    if user_id is None:
        raise NotFound("unknown_user", "staff have no account of the games: ask an admin")
    return user_id, email
