"""What a WSGI server and the `flask` command load."""

import os

from portal import boot, create_app
from portal.api import metrics

app = create_app()

if os.environ.get("FLASK_RUN_FROM_CLI") != "true":  # `flask db upgrade` makes what is checked
    boot.check(app.extensions["dreamland"])
    metrics.serve(app.config["SETTINGS"])
