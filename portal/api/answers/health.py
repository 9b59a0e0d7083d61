"""What the calls that need no key answer."""

from typing import Annotated, Literal

from portal.api import vocabulary as v
from portal.api.answers import Answer


class HealthAnswer(Answer):
    """The process answers."""

    status: Annotated[Literal["ok"], v.said("Always ok: it answers.", "ok")]


class ReadinessAnswer(Answer):
    """Whether a win can be taken, and what stands in the way."""

    status: Annotated[Literal["ready", "not ready"], v.said("All checks together.", "ready")]
    database: Annotated[Literal["ok", "failed"], v.said("It answers.", "ok")]
    poster: Annotated[Literal["ok", "failed"], v.said("It books.", "ok")]
