"""Work on JSON schemas: tidying what pydantic makes, examples from the fields' own, what is in use."""

import re
from typing import Any

Json = dict[str, Any]
COMPONENT = re.compile("#/components/(\\w+)/(.+)")


def tidied(value: Any, *, is_names: bool = False) -> Any:
    """Without the titles that repeat a name, and with a nullable field's words where they are looked for."""
    if isinstance(value, list):
        return [tidied(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {
        name: tidied(each, is_names=name in ("properties", "schemas", "paths"))
        for name, each in value.items()
        if is_names or name != "title" or not isinstance(each, str) or "version" in value
    }
    if not is_names and "type" in made and made.get("default", "") is None:
        del made["default"]  # it may be left out, and is not null where it is not
    for choice in made.get("anyOf", []) if not is_names else []:
        for word in ("description", "examples"):
            if word in choice:
                made.setdefault(word, choice.pop(word))
    return made


def without_null(schema: Json) -> Json:
    """The schema of a value that is there."""
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(choices) != 1:
        return dict(schema)
    rest = {name: each for name, each in schema.items() if name not in ("anyOf", "default")}
    return {**choices[0], **rest}


def example(schema: Json, schemas: Json) -> Any:
    """An example of a schema, put together from those of its fields."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], schemas)
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    if schema.get("type") == "object":
        made = {name: example(each, schemas) for name, each in schema["properties"].items()}
        needed = schema.get("required", [])
        return {name: each for name, each in made.items() if each is not None or name in needed}
    return schema.get("default", schema.get("const"))


def without_unused(document: Json) -> Json:
    """Only the components that something refers to."""
    used: set[tuple[str, str]] = set()
    waiting: list[Any] = [document["paths"]]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            found = COMPONENT.fullmatch(str(value.get("$ref", "")))
            if found and (key := (found[1], found[2])) not in used:
                used.add(key)
                waiting.append(document["components"][key[0]][key[1]])
        elif isinstance(value, list):
            waiting += value
    kept = {
        kind: {name: each for name, each in named.items() if (kind, name) in used}
        for kind, named in document["components"].items()
        if kind != "securitySchemes"
    }
    return document | {
        "components": kept | {"securitySchemes": document["components"]["securitySchemes"]}
    }
