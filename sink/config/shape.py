"""
The [routes.shape] table: what is done to the documents of a route without code.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from sink.config.section import Section, Words

METADATA = ("topic", "partition", "offset", "timestamp", "key", "headers")
_HEADER = "headers."
_RULE = re.compile(r"[a-z0-9_]{1,64}")
# Rules of the sink's own, in the same account.
_OWN_RULES = frozenset({"tombstone", "empty", "empty_array", "empty_list", "operator", "command"})
_TIMESTAMP = "@timestamp"
_IS_THE_TIME = f"{_TIMESTAMP} is made of the document's time: set time_field instead"
_LIMIT = 2**63  # of a whole number of Elasticsearch

# Settings that are tables with keys of the operator's own.
TABLES = ("drop_records", "rename", "add", "metadata")


def _field_name(value: str) -> str:
    """
    Refuse what Elasticsearch takes as no name of a field.
    """
    if not all(part.strip() for part in value.split(".")):
        raise ValueError(f"{value!r} is no name of a field: a part between dots is empty")
    return value


def _not_the_time(names: Iterable[str]) -> None:
    if _TIMESTAMP in names:
        raise ValueError(_IS_THE_TIME)


def _rules(value: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    for rule, fields in value.items():
        if not _RULE.fullmatch(rule) or rule in _OWN_RULES:
            raise ValueError(
                f"{rule!r} is no name of a rule: up to 64 of a-z, 0-9 and _, and none of "
                f"{', '.join(sorted(_OWN_RULES))}"
            )
        if not fields:
            raise ValueError(f"{rule}: names no field, so it would drop every document")
        for name, wanted in fields.items():
            _field_name(name)
            each = wanted if isinstance(wanted, list) else [wanted]
            if not each or any(isinstance(one, list | dict) or one is None for one in each):
                raise ValueError(
                    f"{rule}: {name}: give a text, a number, true or false, or a list of them"
                )
    return value


def _constants(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name, constant in value.items():
        _field_name(name)
        _fits(name, constant)
    _not_the_time(value)
    return value


def _fits(name: str, constant: JsonValue) -> None:
    try:
        json.dumps(constant, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: Elasticsearch takes no such value: {error}") from error
    if isinstance(constant, int) and not -_LIMIT <= constant < _LIMIT:
        raise ValueError(f"{name}: {constant} is beyond the whole numbers of Elasticsearch")


def _renames(value: dict[str, str]) -> dict[str, str]:
    for name in (*value, *value.values()):
        _field_name(name)
    _not_the_time((*value, *value.values()))
    twice = [name for name, count in Counter(value.values()).items() if count > 1]
    if twice:
        raise ValueError(f"two fields are renamed to {', '.join(twice)}")
    return value


def _copies(value: dict[str, str]) -> dict[str, str]:
    for name, source in value.items():
        _field_name(name)
        if source not in METADATA and source.removeprefix(_HEADER) in (source, ""):
            raise ValueError(
                f"{name}: {source!r} is nothing that is known of a record; known: "
                f"{', '.join(METADATA)}, and headers.<name>"
            )
    _not_the_time(value)
    return value


def _dropped(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        _field_name(name)
    if _TIMESTAMP in value:
        raise ValueError(f"{_TIMESTAMP} stays: Kibana and data streams need it")
    return value


def _kept(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        _field_name(name)
    return value


class ShapeSettings(Section):
    """
    What is done to the documents of a route, in this order. See docs/shaping.md.
    """

    drop_records: Annotated[dict[str, dict[str, JsonValue]], AfterValidator(_rules)] = Field(
        default_factory=dict,
        examples=[{"health_checks": {"request.uri": ["/health", "/ready"]}}],
        description="Rules that drop documents: name of the rule, then fields and the value, or "
        "values, that each of them must hold. Counted as dropped:<rule>.",
    )
    keep: Annotated[Words, AfterValidator(_kept)] = Field(
        default=(),
        examples=[["level", "msg"]],
        description="The only fields that stay, besides @timestamp. Empty: all do.",
    )
    drop: Annotated[Words, AfterValidator(_dropped)] = Field(
        default=(), examples=[["password"]], description="Fields that are left out."
    )
    rename: Annotated[dict[str, str], AfterValidator(_renames)] = Field(
        default_factory=dict,
        examples=[{"lvl": "level"}],
        description="Fields that get another name: old = new. One whose new name is taken keeps "
        "the old.",
    )
    add: Annotated[dict[str, JsonValue], AfterValidator(_constants)] = Field(
        default_factory=dict,
        examples=[{"env": "production"}],
        description="Constants for documents that lack the field.",
    )
    metadata: Annotated[dict[str, str], AfterValidator(_copies)] = Field(
        default_factory=dict,
        examples=[{"kafka.topic": "topic", "kafka.offset": "offset"}],
        description="What is known of the record, for documents that lack the field: field = "
        "topic, partition, offset, timestamp, key, headers or headers.<name>.",
    )

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        both = sorted(self.add.keys() & self.metadata.keys())
        if both:
            raise ValueError(f"{', '.join(both)}: is in add and in metadata")
        return self
