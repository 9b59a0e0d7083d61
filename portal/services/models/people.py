"""People: users and sign-ins. Their books are under the same id in `ledger`."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model, db
from portal.services.models.types import Moment

BEGINNINGS = "text_pattern_ops"
"""With these operators an index finds what begins with a text, in any collation."""
user_numbers = Sequence("user_numbers", metadata=db.metadata)


class User(Model):
    """A user of the games. `id` is the owner of the user's books; its top bits are the region of birth."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_newest", "region", "created_at", "id"),
        Index("users_external", "external_id", postgresql_ops={"external_id": BEGINNINGS}),
    )
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    external_id: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    region: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)
    creation_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the request that made the user: the same request again is the same user."""


for _name, _text in (("users_name", User.display_name), ("users_email", User.email)):
    Index(_name, func.lower(_text).label("small"), postgresql_ops={"small": BEGINNINGS})


class SignIn(Model):
    """An e-mail and password for the portal: a user's, or a member of staff's."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        CheckConstraint(
            "role IN ('user', 'viewer', 'accountant', 'approver', 'admin')", name="sign_ins_role"
        ),
        CheckConstraint("(role = 'user') = (user_id IS NOT NULL)", name="sign_ins_user"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    """In small letters."""
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    name: Mapped[str | None] = mapped_column(Text)
    """Of a member of staff; a user's is `users.display_name`."""
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the second factor, sealed."""
    totp_since: Mapped[datetime | None] = mapped_column(Moment)
    """When the first code was given: from then on the second factor is asked for."""
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The 30 seconds of the last code that was taken: no code counts twice."""
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)


class RecoveryCode(Model):
    """Stands once for the second factor; only its SHA-256 is kept."""

    __tablename__ = "recovery_codes"
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Session(Model):
    """A browser that is signed in. Its cookie holds a secret of which only the SHA-256 is kept."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    second_factor: Mapped[bool] = mapped_column(Boolean)
    """Whether one was given."""
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    """To within some minutes."""
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    address: Mapped[str | None] = mapped_column(Text)
    browser: Mapped[str | None] = mapped_column(Text)
    """What the browser calls itself."""


class DeletionRequest(Model):
    """A user's wish that the account be deleted."""

    __tablename__ = "deletion_requests"
    __table_args__ = (
        Index(
            "deletion_requests_open",
            "user_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND done_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime] = mapped_column(Moment)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)
