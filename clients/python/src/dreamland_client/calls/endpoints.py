"""Webhook endpoints: where the server sends events to."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from dreamland_client.calls.base import Calls, path
from dreamland_client.operations import NewEndpoint, Stall, WebhookEndpoint
from dreamland_client.reading import member, read, read_list
from dreamland_client.transport import Request
from dreamland_client.values import time_text

ROOT = "webhook-endpoints"


class WebhookEndpoints(Calls):
    """Calls about webhook endpoints. None has a key: what gets no answer is looked up, not repeated."""

    def create_webhook_endpoint(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        since: datetime | None = None,
    ) -> NewEndpoint:
        """Have events sent to an address, from now on or `since`; the secret is shown this once."""
        body = {
            "url": url,
            "events": None if events is None else list(events),
            "description": description,
            "since": time_text(since) if since else None,
        }
        return _new(self._send("POST", path(ROOT), body).json)

    def webhook_endpoints(self) -> tuple[WebhookEndpoint, ...]:
        """Every endpoint of this client."""
        return read_list(WebhookEndpoint, self._get(path(ROOT)), "endpoints")

    def webhook_endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint, with its failures. Raises NotFound."""
        return read(WebhookEndpoint, member(self._get(path(ROOT, endpoint_id)), "endpoint"))

    def change_webhook_endpoint(self, endpoint_id: str, **changes: Any) -> WebhookEndpoint:
        """Change `url`, `events` (None: all), `description` or `state` (enabled, disabled)."""
        content = json.dumps(changes).encode()  # null has a meaning here: events of every type
        answer = self._transport.call(Request("PATCH", path(ROOT, endpoint_id), body=content))
        return read(WebhookEndpoint, member(answer.json, "endpoint"))

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Send it nothing more."""
        self._transport.call(Request("DELETE", path(ROOT, endpoint_id), wants_json=False))

    def rotate_webhook_secret(self, endpoint_id: str) -> NewEndpoint:
        """Give it a new secret; the old one signs too for a day. `verify` takes both."""
        return _new(self._send("POST", path(ROOT, endpoint_id, "secrets"), {}).json)

    def replay_webhooks(
        self, endpoint_id: str, *, since: datetime | None = None, event_id: str | None = None
    ) -> None:
        """Send everything since a time once more, or one event."""
        if (since is None) == (event_id is None):
            raise ValueError("a replay is since a time, or of one event")
        body = {"since": time_text(since) if since else None, "event_id": event_id}
        self._send("POST", path(ROOT, endpoint_id, "replays"), body, wants_json=False)

    def webhook_stalls(self, endpoint_id: str, *, page_size: int = 200) -> Iterator[Stall]:
        """The users whose events this endpoint did not take of late."""
        return self._listed(Stall, path(ROOT, endpoint_id, "stalls"), "stalls", page_size)


def _new(told: object) -> NewEndpoint:
    return read(NewEndpoint, told)
