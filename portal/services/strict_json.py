"""JSON as it is taken from clients: UTF-8, no key twice, no NaN, no nesting without end."""

import json
from collections import Counter
from typing import Any

from portal.ledger.errors import Refused
from portal.services.fields import sendable


def loads(text: bytes | str) -> Any:
    """The value of a JSON text. Raises Refused('malformed_json'), which says what is wrong."""
    try:
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise Refused("malformed_json", "it is not UTF-8") from None
    except RecursionError:
        raise Refused("malformed_json", "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Refused("malformed_json", f"it is not JSON: {error}") from None
    except ValueError:
        raise Refused("malformed_json", "a number in it is too long") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        twice = sendable(name)
        raise Refused("malformed_json", f"the key {twice!r} is there twice", param=twice)
    return value


def _constant(name: str) -> None:
    raise Refused("malformed_json", f"{name} is not JSON")
