"""The time zone by which a user's days begin and end."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response
from flask_login import current_user

from portal.ledger.errors import Refused
from portal.pages import views, zones
from portal.pages.blueprint import blueprint
from portal.pages.forms.account import ZoneForm
from portal.runtime import runtime
from portal.services.accounts import profile
from portal.services.users import ZoneChange


@blueprint.route("/account/time-zone", methods=["GET", "POST"])
def time_zone() -> Response:
    """The zone in force, the one that is to come, and another one from the end of the day."""
    form = ZoneForm()
    if form.validate_on_submit():
        try:
            change = profile.change_zone(current_user.user_id, str(form.time_zone.data))
        except Refused as error:
            views.refused(form, error)
        else:
            views.tell(_told(change))
            return views.go("pages.time_zone")
    standing = profile.zones(current_user.user_id)
    form.time_zone.choices = zones.choices(standing.starts_at.date(), standing.zone)
    if not form.is_submitted():
        form.time_zone.data = standing.zone
    return views.form_page(
        *("time_zone.html", form, views.WHOLE_FORM),
        submit="Change the time zone",
        standing=standing,
        days=runtime().settings.zone_change_spacing.days,
        there=there,
        called=zones.name,
    )


def there(at: datetime, zone: str) -> str:
    """An instant as the clocks of a zone show it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%a %-d %b %Y, %H:%M")


def _told(change: ZoneChange | None) -> str:
    if change is None:
        return "That is your time zone already."
    return f"Your time zone will be {zones.name(change.time_zone)} when your day has ended."
