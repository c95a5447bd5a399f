"""
What pydantic found wrong, as lines a person can act on: where, which setting, what, what next.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from sink.config.reference import section_of, settings
from sink.config.settings import Config

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Location = tuple[str | int, ...]

_MESSAGES = {
    "missing": "must be set",
    "model_type": "should be a table of settings",
    "tuple_type": "should be a list",
}


def dotted(location: Location) -> str:
    """
    Write a location as a key: routes[0].index.zone.
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def describe(error: ValidationError, source_of: Callable[[Location], str]) -> list[str]:
    """
    Turn a validation error into one line a problem.

    Args:
        error: Of `Config`.
        source_of: Says which source a location's value came from.
    """
    details = error.errors(include_url=False, include_input=False)
    return [
        ": ".join(filter(None, (source_of(detail["loc"]), dotted(detail["loc"]), _what(detail))))
        for detail in details
        if not _follows_from_another(detail, details)
    ]


def unknown_variables(names: Iterable[str]) -> list[str]:
    """
    Report variables that name no section: the environment source would pass over them in silence.

    Args:
        names: Variables of the environment, upper case.
    """
    sections = {name: name.split("__")[1].lower() for name in names if name.startswith("SINK__")}
    return [
        f"environment {name}: {section}: unknown setting{_nearest((section,))}"
        for name, section in sorted(sections.items())
        if section not in Config.model_fields
    ]


def _follows_from_another(detail: "ErrorDetails", details: list["ErrorDetails"]) -> bool:
    """
    Say whether a list only counts as too short because an item of it is wrong.
    """
    location = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location
        for other in details
    )


def _what(detail: "ErrorDetails") -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown setting{_nearest(detail['loc'])}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return _MESSAGES.get(detail["type"], detail["msg"].removeprefix("Input "))


def _nearest(location: Location) -> str:
    """
    Look for the name that was meant: in the same table first, then under any other.
    """
    model: type[BaseModel] | None = Config
    for part in location[:-1]:
        if model is not None and isinstance(part, str):
            model = section_of(model.model_fields[part])
    name = str(location[-1])
    here = get_close_matches(name, list(model.model_fields) if model else (), n=1)
    meant = here or [row.key for row in settings() if row.name == name]
    return f", did you mean {' or '.join(meant)}?" if meant else ""
