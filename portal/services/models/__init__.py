"""The tables that are not the ledger's. The app's role may write these; money is not here."""

from portal.services.models.audit import AuditEvent
from portal.services.models.clients import ApiClient, ApiKey
from portal.services.models.conversions import ConversionChunk, ConversionRun
from portal.services.models.imports import Import, ImportChunk, ImportRefusal
from portal.services.models.mail import Link, Mail
from portal.services.models.people import (
    DeletionRequest,
    RecoveryCode,
    Session,
    SignIn,
    User,
    user_numbers,
)
from portal.services.models.verifications import Verification
from portal.services.models.webhooks import WebhookEndpoint, WebhookStall

__all__ = [
    "ApiClient",
    "ApiKey",
    "AuditEvent",
    "ConversionChunk",
    "ConversionRun",
    "DeletionRequest",
    "Import",
    "ImportChunk",
    "ImportRefusal",
    "Link",
    "Mail",
    "RecoveryCode",
    "Session",
    "SignIn",
    "User",
    "Verification",
    "WebhookEndpoint",
    "WebhookStall",
    "user_numbers",
]
