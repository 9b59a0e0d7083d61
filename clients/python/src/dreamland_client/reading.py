"""Reads JSON into dataclasses by their types. Fields it does not know may come: they are passed over."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from dreamland_client.errors import BadAnswer
from dreamland_client.values import CANONICAL, time_of

T = TypeVar("T")
Reader = Callable[[Any], Any]
Plan = list[tuple[str, tuple[str, ...], Reader, bool]]
_PLANS: dict[type[Any], Plan] = {}


def called(*names: str) -> Mapping[str, tuple[str, ...]]:
    """The metadata of a field that has another name in JSON: the first of some that is there."""
    return {"names": names}


def read(kind: type[T], value: object) -> T:
    """A dataclass from a JSON object. Raises BadAnswer, which names the field that is wrong."""
    if not isinstance(value, Mapping):
        raise BadAnswer(f"not an object where a {kind.__name__} belongs")
    found: dict[str, Any] = {}
    for name, names, reader, is_needed in _plan(kind):
        present = next((n for n in names if n in value), None)
        if present is None:
            if is_needed:
                raise BadAnswer(f"{kind.__name__}.{names[0]} is missing")
            continue
        try:
            found[name] = reader(value[present])
        except (TypeError, ValueError, InvalidOperation) as error:
            raise BadAnswer(f"{kind.__name__}.{present}: {error}") from None
    return kind(**found)


def member(value: object, name: str) -> Any:
    """A member of a JSON object that must be there. Raises BadAnswer."""
    if not isinstance(value, Mapping) or name not in value:
        raise BadAnswer(f"the answer has no {name}")
    return value[name]


def read_list(kind: type[T], value: object, name: str) -> tuple[T, ...]:
    """The dataclasses of a JSON array that is a member of an object. Raises BadAnswer."""
    return tuple(read(kind, each) for each in _items(member(value, name)))


def _plan(kind: type[Any]) -> Plan:
    if kind in _PLANS:
        return _PLANS[kind]
    hints = get_type_hints(kind)
    _PLANS[kind] = [
        (
            each.name,
            each.metadata.get("names", (each.name,)),
            _reader(hints[each.name]),
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
        if each.init
    ]
    return _PLANS[kind]


def _reader(hint: Any) -> Reader:
    if get_origin(hint) is types.UnionType:
        [inner] = [each for each in get_args(hint) if each is not types.NoneType]
        known = _reader(inner)
        return lambda value: None if value is None else known(value)
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda value: tuple(item(each) for each in _items(value))
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: read(hint, value)
    return READERS.get(hint, _as_it_is)


def _items(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise BadAnswer("not an array where one belongs")
    return value


def _as_it_is(value: Any) -> Any:
    return value


def _exactly(kind: type[Any]) -> Reader:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"not a {kind.__name__}")
        return value

    return check


def _amount(value: Any) -> Decimal:
    """Exact: a JSON number may have gone through a float on its way."""
    if not isinstance(value, str) or not CANONICAL.fullmatch(value.removeprefix("-")):
        raise ValueError("not a decimal string")
    return Decimal(value)


READERS: Mapping[Any, Reader] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    Decimal: _amount,
    datetime: lambda value: time_of(_exactly(str)(value)),
    date: lambda value: date.fromisoformat(_exactly(str)(value)),
}
