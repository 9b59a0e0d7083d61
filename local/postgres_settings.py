"""The embedded PostgreSQL's configuration, for the machine it finds itself on.

Durable first: an acknowledged win survives a power cut. Within that, quick on a small
machine. Any setting can be overridden by whoever makes a `Postgres`.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

MB = 1024 * 1024
GB = 1024 * MB

DURABLE: Mapping[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

FIXED: Mapping[str, str] = {
    # Reached by a socket in a directory that is closed to others, never by network.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # Times and texts are the same on every machine.
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, mdy",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.english",
    # Checkpoints are rare: each makes the next write of every page a full one.
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "wal_buffers": "16MB",
    # This build has pglz only, which costs more than it saves where the CPU is the limit:
    # pgbench right after a checkpoint, 2 cores: 4,300 transactions a second, 5,500 without.
    "wal_compression": "off",
    # Disks of today read any page as fast as the next one.
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    # Queries here are short: compiling one costs more than it saves.
    "jit": "off",
    "work_mem": "16MB",
    # Balance rows change all day: vacuum soon and a little.
    "autovacuum_naptime": "20s",
    # The log tells what is slow or stuck. Values stay out of it: they may be personal.
    "log_min_duration_statement": "1s",
    "log_lock_waits": "on",
    "log_parameter_max_length": "0",
    "log_line_prefix": "%m [%p] %q%d/%a ",
}


def settings_for(data: Path) -> dict[str, str]:
    """All settings for a server on this directory, by name."""
    memory = memory_bytes()
    free = shutil.disk_usage(data).free
    shared = max(128 * MB, min(memory // 8, 2 * GB))
    return {
        **DURABLE,
        **FIXED,
        "shared_buffers": _mb(shared),
        "effective_cache_size": _mb(max(shared, memory // 2)),
        "maintenance_work_mem": _mb(max(64 * MB, min(memory // 16, 512 * MB))),
        "max_wal_size": _mb(max(256 * MB, min(8 * GB, free // 4))),
        "min_wal_size": _mb(max(128 * MB, min(1 * GB, free // 16))),
    }


def memory_bytes() -> int:
    """The memory this process may use: the machine's, or less in a container."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no such control group, or "max"
        return machine


def as_file(settings: Mapping[str, str]) -> str:
    """The text of postgresql.conf."""
    head = "# Written at each start from local/postgres_settings.py: an edit here is lost.\n"
    return head + "".join(
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()
    )


def _mb(size: int) -> str:
    return f"{size // MB}MB"
