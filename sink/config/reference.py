"""
Every setting as a row: what the reference page, the commented file and the error messages show.

Read off the declaration, so a new setting needs no second place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sink.config.settings import Config

# A word of a setting's name says its unit.
_UNITS = {"ms": "milliseconds", "kbytes": "KiB", "bytes": "bytes", "docs": "documents"}

_TYPES = {"integer": "integer", "number": "number", "boolean": "true or false", "string": "text"}
_TEXTS = {
    "password": "secret text",
    "path": "path",
    "file-path": "path of a file",
    "directory-path": "path of a folder",
    "date-time": "time",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """
    One setting, as its declaration describes it.
    """

    table: str  # "kafka", "routes", "routes.index"
    name: str
    type: str
    unit: str
    bounds: str
    default: object  # None: unset; meaningless where `required`
    required: bool
    example: object  # of a setting without default
    variable: str  # of the environment
    help: str

    @property
    def key(self) -> str:
        """
        The dotted key, as flags and messages write it.
        """
        return f"{self.table}.{self.name}"


def number(value: int) -> str:
    """
    Write a number as TOML may have it, long ones in groups of three.
    """
    return f"{value:_}" if abs(value) >= 1_000_000 else str(value)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """
    Return the model of a field that is a section or a list of sections.
    """
    kinds = (field.annotation, *get_args(field.annotation))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """
    Yield the dotted name and the model of each table, in the order of the file.
    """
    yield from _sections_in(Config, "")


def _sections_in(model: type[BaseModel], parent: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        if (section := section_of(field)) is not None:
            yield parent + name, section
            yield from _sections_in(section, f"{parent}{name}.")


def settings() -> Iterator[Setting]:
    """
    Yield every setting, in the order of the file.
    """
    for table, model in sections():
        schemas = model.model_json_schema()["properties"]
        for name, field in model.model_fields.items():
            if section_of(field) is None:
                yield _setting(table, name, field, schemas[name])


def _setting(table: str, name: str, field: FieldInfo, schema: Mapping[str, Any]) -> Setting:
    top = table.partition(".")[0]
    choices = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    return Setting(
        table=table,
        name=name,
        type=" or ".join(dict.fromkeys(_type(part) for part in choices)),
        unit=next((_UNITS[word] for word in name.split("_") if word in _UNITS), ""),
        bounds=" or ".join(filter(None, (_bounds(part) for part in choices))),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        required=field.is_required(),
        example=next(iter(field.examples or ()), None),
        variable="SINK__ROUTES" if top == "routes" else f"SINK__{top}__{name}".upper(),
        help=field.description or "",
    )


def _type(schema: Mapping[str, Any]) -> str:
    if schema["type"] == "array":
        return "list of texts"
    if schema["type"] == "object":
        return "table"
    return _TEXTS.get(schema.get("format", ""), _TYPES[schema["type"]])


def _bounds(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "minimum" in schema:
        return f"{number(schema['minimum'])} … {number(schema['maximum'])}"
    if "maxLength" in schema:
        return f"at most {schema['maxLength']} characters"
    return "a time" if schema.get("format") == "date-time" else ""
