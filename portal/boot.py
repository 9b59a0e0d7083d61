"""What must hold before a process serves or works: asked once, at its start."""

from sqlalchemy import select

from config import ConfigError
from portal import ledger
from portal.ledger import install
from portal.runtime import Runtime
from portal.services.models import ApiClient, ApiKey, SignIn

DEMO_CLIENT = "demo"
DEMO_ADMIN = "admin@dreamland.example"


def check(runtime: Runtime) -> None:
    """Refuse to run on books that say otherwise than the code, or on demo secrets in production.

    Raises ChartMismatch, ConfigError.
    """
    with runtime.snapshot() as connection:  # an asset may be added meanwhile
        install.check(connection)
    if not runtime.settings.is_production:
        return
    with runtime.engine.connect() as connection:
        if ledger.fix_clock(connection):
            raise ConfigError("the ledger clock of this database was moved: not fit for production")
        demo = select(ApiKey.id).join(ApiClient).where(ApiClient.name == DEMO_CLIENT)
        if connection.scalar(demo.where(ApiKey.revoked_at.is_(None)).limit(1)):
            raise ConfigError("this database has the demo API key: not fit for production")
        if connection.scalar(select(SignIn.id).where(SignIn.email == DEMO_ADMIN)):
            raise ConfigError("this database has the demo's admin: not fit for production")
