# One image for web, worker, webhooks, scheduler and every command of the app: deploy/start tells them apart.
#   docker build -t dreamland .

FROM python:3.13.14-slim-trixie AS packages
WORKDIR /app
COPY requirements.txt .
# The pins above the line of "===", which are complete: no embedded servers, linters or tests,
# nothing that is not pinned, and no pip either.
RUN sed '/^# ===/,$d' requirements.txt >image.txt \
    && python -m venv --without-pip .venv \
    && python -m pip --python .venv/bin/python install --no-cache-dir --no-deps -r image.txt

FROM python:3.13.14-slim-trixie
ENV HOST=0.0.0.0 \
    PATH=/app/.venv/bin:$PATH \
    PORT=5000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    VAR_DIR=/var/lib/dreamland
WORKDIR /app
# The one directory that is written to, and only by `seed`. A new volume takes over its owner.
RUN groupadd --gid 10001 dreamland \
    && useradd --uid 10001 --gid dreamland --no-create-home --shell /usr/sbin/nologin dreamland \
    && install -d -o dreamland -m 700 /var/lib/dreamland
# Packages change seldom, the source with every commit: so the layer above 50 MB stays cached.
COPY --from=packages /app/.venv .venv
# What .dockerignore lets through. Compiled here, as the file system may be read-only later.
COPY . .
RUN python -m compileall -q config.py wsgi.py portal jobs migrations deploy
USER 10001
EXPOSE 5000
# Ready, not merely alive: Docker starts nothing anew for this, it tells whether to send traffic.
# No shell and no curl. Worker, webhooks and scheduler are asked by their own names in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "deploy.healthy", "web"]
ENTRYPOINT ["/app/deploy/start"]
CMD ["web"]
