"""How a JSON value departs from a schema of an OpenAPI document.

A validator would not do: the documents say nothing about fields that they do not name, and those are to be found.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "any": (object,),
}
_NUMBERS: Final = frozenset({"integer", "number"})


class OpenApi:
    """An OpenAPI 3.0 document."""

    def __init__(self, path: Path) -> None:
        self._document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)

    @property
    def paths(self) -> frozenset[str]:
        """The templates of its routes."""
        return frozenset(self._document["paths"])

    def departures(self, path: str, value: Any) -> frozenset[str]:
        """In which fields an answer to GET departs from what is documented, and how; without the way to them."""
        answer = self._resolved(self._document["paths"][path]["get"]["responses"]["200"])
        found = self._departures("answer", value, answer["content"]["application/json"]["schema"])
        return frozenset(".".join(place.split(".")[-2:]) for place in found)

    def _departures(self, place: str, value: Any, schema: Any) -> Iterator[str]:
        schema = self._flat(schema, value)
        if value is None:
            if not schema.get("nullable"):
                yield f"{place}: null"
            return
        kind = schema.get("type", "object" if schema["properties"] else "any")
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind in _NUMBERS):
            yield f"{place}: {type(value).__name__}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r}"
        elif isinstance(value, list):
            for element in value:
                yield from self._departures(f"{place}[]", element, schema["items"])
        elif isinstance(value, dict) and schema["properties"]:
            yield from self._departures_of_fields(place, value, schema)

    def _departures_of_fields(self, place: str, value: dict[str, Any], schema: Any) -> Iterator[str]:
        for name in schema["required"]:
            if name not in value:
                yield f"{place}.{name}: missing"
        for name, field in value.items():
            if name in schema["properties"]:
                yield from self._departures(f"{place}.{name}", field, schema["properties"][name])
            else:
                yield f"{place}.{name}: undocumented"

    def _flat(self, schema: Any, value: Any) -> dict[str, Any]:
        """The schema with what it refers to, and of several the one whose title is the type of the value."""
        schema = self._resolved(schema)
        if "oneOf" in schema:
            kind = "" if value is None else value["type"].capitalize()
            schema = next((one for one in schema["oneOf"] if one["$ref"].endswith(f"/{kind}Object")), {})
            return self._flat(schema, value)
        flat: dict[str, Any] = {"properties": {}, "required": []}
        for part in (*(self._flat(part, value) for part in schema.get("allOf", [])), schema):
            flat = {
                **flat,
                **part,
                "properties": {**flat["properties"], **part.get("properties", {})},
                "required": [*flat["required"], *part.get("required", [])],
            }
        return flat

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            part = self._document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                part = part[name]
            schema = part
        return schema
