#!/bin/sh
# Dreamland on a PostgreSQL of your own, in one go: the virtual environment, the database
# that DATABASE_URL names (made if the server has none of that name), migrations, the demo.
# Can be run again at any time. REDIS_URL, VAR_DIR and the settings of config.py hold here too.
#
#   DATABASE_URL=postgresql://me:secret@db.example.com/dreamland ./setup.sh
set -eu
if [ -z "${DATABASE_URL:-}" ]; then # before minutes go into installing
    echo "setup.sh: DATABASE_URL is not set: DATABASE_URL=postgresql://user:password@host/database ./setup.sh" >&2
    exit 1
fi
. "$(dirname -- "$0")/bin/setup"
exec "$VENV/bin/python" -m local.setup
