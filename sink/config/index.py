"""
The index of a route: its name, what dates it, how many new ones there may be.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from sink.config.section import Section

# Directives of strftime that mean the same on every platform (Python's datetime page).
_DIRECTIVES = frozenset("aAbBdfGHIjmMpSuUVwWyYzZ")
_FIELD = re.compile(r"[\w@-]+(\.[\w@-]+)*")
_OF_THE_TOPIC = ("topic", "route")
_STREAM_BYTES_MAX = 100  # of a data set's name and of a namespace's


def _zone_name(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone, as UTC or Europe/Berlin") from error
    return value


def _field_path(value: str) -> str:
    if not _FIELD.fullmatch(value):
        raise ValueError(
            f"{value!r} is no field, as service or kubernetes.namespace: letters, digits, _, - "
            "and @, a dot between an object and its field"
        )
    return value


def _slots(value: str) -> str:
    """
    Check what stands in braces.
    """
    left = re.sub(r"\{([^{}]*)\}", "", value)
    if re.search(r"[{}]", left):
        raise ValueError("a brace stands alone: write {topic}, {route} or a {field}")
    for slot in re.findall(r"\{([^{}]*)\}", value):
        for known in _OF_THE_TOPIC:
            if slot != known and slot.strip().lower() in (known, f"{known}s"):
                raise ValueError(f"{{{slot}}} would be a field, did you mean {{{known}}}?")
        _field_path(slot)
    return value


def _index_form(value: str) -> str:
    """
    Check a strftime form in which {topic}, {route} and fields may stand.
    """
    _slots(value)
    unknown = sorted(set(re.findall(r"%(.?)", value, re.DOTALL)) - _DIRECTIVES)
    if unknown:
        raise ValueError(f"unknown in a date form: {', '.join('%' + letter for letter in unknown)}")
    return value


def _stream_form(value: str) -> str:
    """
    Check the name of a data stream: kind, data set and namespace, no date.
    """
    _slots(value)
    parts = re.sub(r"\{[^{}]*\}", "x", value).split("-")
    of_them = all(re.fullmatch(r"[a-z0-9_.]+", part) for part in parts) and "{" not in value[:1]
    if len(parts) != 3 or not of_them or max(map(len, parts)) > _STREAM_BYTES_MAX:
        raise ValueError(
            f"{value!r} is not of the form logs-<dataset>-<namespace>, as logs-{{topic}}-prod: "
            "small letters, digits, _ and . in each part, no date (the stream rolls over by itself)"
        )
    return value


def _time_form(value: str) -> str:
    unknown = sorted(set(re.findall(r"%(.?)", value, re.DOTALL)) - _DIRECTIVES - {"%"})
    if unknown or "%" not in value:
        which = ", ".join("%" + letter for letter in unknown) or "no directive at all"
        raise ValueError(f"{value!r} has {which}; a form is as %d/%b/%Y:%H:%M:%S %z")
    return value


def _date(value: str) -> str:
    try:
        epoch_ms(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} is no date, as 2000-01-01: {error}") from error
    return value


def epoch_ms(day: str) -> int:
    """
    Give the beginning of a day in UTC, in milliseconds since the epoch.

    Raises:
        ValueError: It is none.
    """
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return round(at.timestamp()) * 1000


FieldPath = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_field_path)]
_Day = Annotated[
    str,
    BeforeValidator(lambda value: value.isoformat() if type(value) is date else value),
    AfterValidator(_date),
]


class IndexSettings(Section):
    """
    The index of a route: prefix + user topic + _ + date, a name of your own form, or a data stream.
    """

    prefix: str = Field(
        default="", max_length=200, description="Put before the user topic to make the index name."
    )
    name: Annotated[str, AfterValidator(_index_form)] | None = Field(
        default=None,
        min_length=1,
        examples=["logstash-{type}-%Y.%m.%d"],
        description="Whole index name as a strftime form, or the name of an alias. {topic} stands "
        "for the user topic, {route} for the route, any other word in braces for that field of "
        "the document ({kubernetes.namespace}). Instead of prefix and period.",
    )
    data_stream: Annotated[str, AfterValidator(_stream_form)] | None = Field(
        default=None,
        min_length=1,
        examples=["logs-{topic}-prod"],
        description="Data stream instead of an index, of the form logs-<dataset>-<namespace>; "
        "what may stand in braces is as in name. It rolls over by its lifecycle.",
    )
    period: Literal["month", "week", "day"] = Field(
        default="month",
        description="A new index each month (named by its first day), week (by its Sunday) or day.",
    )
    zone: Annotated[str, AfterValidator(_zone_name)] = Field(
        default="UTC", description="Time zone in which a record's time becomes a date."
    )
    time_field: FieldPath | None = Field(
        default=None,
        examples=["@timestamp"],
        description="Field of the document that dates the index instead of the record's time: ISO "
        "8601 with or without an offset, or seconds, milliseconds, microseconds or nanoseconds "
        "since 1970. Where it is missing or no time, the record's time holds.",
    )
    time_format: Annotated[str, AfterValidator(_time_form)] | None = Field(
        default=None,
        min_length=1,
        examples=["%d/%b/%Y:%H:%M:%S %z"],
        description="Form of time_field as Python's strptime takes it, where it is another.",
    )
    new_per_hour_max: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        examples=[100],
        description="Most names that get their first index within an hour, in one process; the "
        "documents of further ones go to one index, …overflow…. Unset: 100 where fields name the "
        "index, else no limit. A new date of a name does not count.",
    )
    create_ahead: bool = Field(
        default=True,
        description="Make the next period's indices in the hour before it begins, so that midnight "
        "brings no storm. Needs the privilege create_index; without it all goes on as before.",
    )

    @model_validator(mode="after")
    def _one_kind_of_name(self) -> Self:
        for whole, others in _EXCLUDED.items():
            given = sorted(others & self.model_fields_set)
            given = [each for each in given if getattr(self, each) is not None]
            if getattr(self, whole) is not None and given:
                raise ValueError(f"{whole} is the whole name: leave out {' and '.join(given)}")
        if self.time_format is not None and self.time_field is None:
            raise ValueError("time_format is the form of time_field: set that as well")
        return self

    @model_serializer(mode="wrap")
    def _without_what_does_not_apply(self, handler: SerializerFunctionWrapHandler) -> object:
        # Otherwise what `sink config show` prints would be refused when it is loaded again.
        wholes = [whole for whole in _EXCLUDED if getattr(self, whole) is not None]
        left_out = {other for whole in wholes for other in _EXCLUDED[whole]}
        return {key: value for key, value in handler(self).items() if key not in left_out}


# A setting that is a whole name → those that would be parts of it.
_EXCLUDED: Mapping[str, frozenset[str]] = {
    "name": frozenset({"prefix", "period"}),
    "data_stream": frozenset({"prefix", "period", "name", "time_field", "time_format"}),
}


class TimeGuardSettings(Section):
    """
    Which times may date an index; a document with any other goes to …_undated, and is counted.

    No clock is asked: a record that is read again later finds the same index.
    """

    past_days: int = Field(
        default=31,
        ge=0,
        le=36_500,
        description="A field's time (index.time_field) may be so long before its record's.",
    )
    future_days: int = Field(
        default=1, ge=0, le=36_500, description="A field's time may be so long after its record's."
    )
    not_before: _Day = Field(
        default="2000-01-01", description="A record's own time may not be before this day (UTC)."
    )
    not_after: _Day = Field(
        default="2099-01-01", description="A record's own time must be before this day (UTC)."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if epoch_ms(self.not_before) >= epoch_ms(self.not_after):
            raise ValueError("not_before must be before not_after")
        return self
