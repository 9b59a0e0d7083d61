"""The forms of API clients: a client, its limits, its keys."""

import re
from datetime import timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.pages.forms import fields
from portal.pages.forms.fields import OnceForm, TicksField, WholeField
from portal.services import clients

LONGEST = 10_000
MOST_HOURS = clients.MAX_OVERLAP // timedelta(hours=1)
USUAL_HOURS = clients.OVERLAP // timedelta(hours=1)


def sentence(words: str) -> str:
    """What a key may do, as a sentence."""
    plain = re.sub(r"`([^`]+)`", r"\1", words)
    return f"{plain[:1].upper()}{plain[1:]}."


def scopes_field() -> TicksField:
    """What a key may do."""
    hints = {scope: sentence(words) for scope, words in clients.SCOPES.items()}
    return TicksField("Scopes", [InputRequired("Tick at least one scope.")], hints=hints)


class NewClientForm(FlaskForm):
    """A client."""

    name = StringField(
        "Name",
        [InputRequired("Enter a name."), Length(max=clients.MAX_NAME)],
        description="Of the game server or the studio. It can't be changed later.",
        render_kw={"autocomplete": "off"},
    )


class NewKeyForm(OnceForm):
    """A key of a client."""

    scopes = scopes_field()


class RotationForm(NewKeyForm):
    """A key in the place of another."""

    overlap_hours = WholeField(
        "Hours that the old key still works",
        [InputRequired("Enter a number of hours."), NumberRange(0, MOST_HOURS)],
        default=USUAL_HOURS,
        description=f"From 0, which ends it at once, to {MOST_HOURS}.",
        render_kw={"min": 0, "max": MOST_HOURS},
    )

    @property
    def overlap(self) -> timedelta:
        """How long the old key still works."""
        return timedelta(hours=int(self.overlap_hours.data or 0))


class LimitsForm(FlaskForm):
    """What a client is limited to; what is empty limits nothing."""

    games = TextAreaField(
        "Games",
        [Length(max=LONGEST)],
        description="It may book wins of these games, one a line. Empty: of any.",
        render_kw={"rows": 4, "spellcheck": "false"},
    )
    regions = TicksField(
        "Regions", description="It sees users of these regions. None ticked: of all.", hints={}
    )
    networks = TextAreaField(
        "Networks",
        [Length(max=LONGEST)],
        description="Its calls may come from these, one a line, such as 192.0.2.0/24. Empty: from anywhere.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    rate_limit = WholeField(
        "Requests a minute",
        [Optional()],
        description="Empty: as many as is usual. 0: any number.",
        render_kw={"min": 0},
    )

    def offer(self, regions: tuple[str, ...]) -> None:
        """Have these regions to choose from."""
        self.regions.hints = dict.fromkeys(regions, "")
        self.regions.choices = fields.plain_choices(regions)

    def wanted(self) -> dict[str, Any]:
        """What is asked for, as the service takes it."""
        return {
            "games": _lines(self.games.data),
            "regions": self.regions.data or None,
            "networks": _lines(self.networks.data),
            "rate_limit": self.rate_limit.data,
        }


def _lines(text: str | None) -> list[str] | None:
    """What stands on each line; None where nothing does."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()] or None
