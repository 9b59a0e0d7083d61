"""Jobs: queues, workers, what failed, what recurs. With Redis away nothing is known, and the page says so."""

import re
from collections.abc import Callable, Iterator

from flask import Response, abort, request, url_for

from portal.ledger.errors import NotFound
from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.services import jobs as service
from portal.services import written
from portal.services.jobs import Failed, JobsAway

ID = re.compile(r"[\w-]{1,200}", re.ASCII)
COLUMNS = ("id", "failed_at", "queue", "call", "reason", "trace")
CRONS = {"* * * * *": "every minute", "0 * * * *": "every hour"}
DAILY = re.compile(r"(\d+) (\d+) \* \* \*")


@blueprint.get("/jobs")
def jobs() -> Response:
    """All of it; asked for anew while it is looked at."""
    after = _after()
    try:
        seen, failed = service.look(), lists.cut(service.failed(after, lists.PAGE + 1))
    except JobsAway:
        return views.page("staff/jobs.html", "staff/_jobs.html", seen=None)
    return views.page(
        "staff/jobs.html",
        "staff/_jobs.html",
        seen=seen,
        failed=failed.rows,
        older=url_for("pages.jobs", after=failed.rows[-1].id) if failed.has_more else None,
        newest=url_for("pages.jobs") if after else None,
        here=url_for("pages.jobs", after=after),
        cron_words=cron_words,
    )


@blueprint.get("/jobs.<any(csv,xlsx):form>")
def jobs_file(form: str) -> Response:
    """Every failed job."""
    return exports.table(form, "failed-jobs", COLUMNS, _rows(), "Failed jobs")


def _rows() -> Iterator[exports.Cells]:
    def read(last: Failed | None) -> list[Failed]:
        return service.failed(last.id if last else None, exports.AT_ONCE)

    for each in exports.walk(read):
        said = (each.queue, each.call, each.reason, each.trace)
        yield (each.id, written.moment(each.failed_at), *map(exports.cell, said))


@blueprint.post("/jobs/<job_id>/retry")
def job_retry(job_id: str) -> Response:
    """Have a failed job run again."""
    return _done(job_id, service.retry, "will run again as soon as a worker is free")


@blueprint.post("/jobs/<job_id>/discard")
def job_discard(job_id: str) -> Response:
    """Forget that a job failed."""
    return _done(job_id, service.discard, "is discarded")


def _done(job_id: str, do: Callable[[str], Failed], told: str) -> Response:
    if not ID.fullmatch(job_id):
        abort(404)
    try:
        views.tell(f"{do(job_id).call} {told}.")
    except (NotFound, JobsAway) as error:
        views.tell(views.sentence(error.detail))
    return views.go("pages.jobs")


def cron_words(cron: str) -> str:
    """When something recurs, in words where these are plain."""
    if daily := DAILY.fullmatch(cron):
        minute, hour = map(int, daily.groups())
        return f"every day at {hour:02}:{minute:02} UTC"
    return CRONS.get(cron, cron)


def _after() -> str | None:
    """The job that the page of failed ones begins behind."""
    found = request.args.get("after")
    if found is not None and not ID.fullmatch(found):
        abort(404)
    return found
