"""The tables that are not the ledger's. The app's role may write these; money is not here."""

from portal.services.models.clients import ApiClient, ApiKey
from portal.services.models.conversions import ConversionChunk, ConversionRun
from portal.services.models.imports import Import, ImportChunk, ImportRefusal
from portal.services.models.people import SignIn, User, user_numbers
from portal.services.models.webhooks import WebhookEndpoint, WebhookStall

__all__ = [
    "ApiClient",
    "ApiKey",
    "ConversionChunk",
    "ConversionRun",
    "Import",
    "ImportChunk",
    "ImportRefusal",
    "SignIn",
    "User",
    "WebhookEndpoint",
    "WebhookStall",
    "user_numbers",
]
