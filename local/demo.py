"""var/demo.json: what a person or a script needs to try Dreamland on this machine.

`flask seed` writes `api_key`, `users` and `admin` there; this adds `base`, the address.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.errors import LocalError


def set_base(var: Path, base: str) -> dict[str, Any]:
    """Put the address into the file and return all of it."""
    path = var / "demo.json"
    try:
        demo = json.loads(path.read_text())
    except FileNotFoundError:
        return {"base": base}  # the seed makes it, and takes one that is there for its own
    except ValueError as error:
        raise LocalError(f"{path} is not JSON: delete it, and the seed writes it again.") from error
    demo = {"base": base} | demo | {"base": base}
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(json.dumps(demo, indent=2) + "\n")
    new.replace(path)
    return dict(demo)


def lines(demo: dict[str, Any]) -> Iterator[str]:
    """The same for reading, one person or key a line."""
    people = [("user", user) for user in demo.get("users") or []]
    people += [("admin", demo["admin"])] if demo.get("admin") else []
    for role, person in people:
        if person.get("password"):
            more = f"  {person['time_zone']}" if person.get("time_zone") else ""
            if person.get("totp_secret"):
                more = "  and the code that bin/flask code says"
            yield f"{role:<8} {person.get('email')}  {person['password']}{more}"
    if demo.get("api_key"):
        yield f"{'API key':<8} {demo['api_key']}"
