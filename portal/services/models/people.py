"""People: users and sign-ins. Their books are under the same id in `ledger`."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import Model, db
from portal.services.models.types import Moment

user_numbers = Sequence("user_numbers", metadata=db.metadata)


class User(Model):
    """A user of the games. `id` is the owner of the user's books; its top bits are the region of birth."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    external_id: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    region: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)
    creation_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the request that made the user: the same request again is the same user."""


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
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
