"""
Options that take a time, or an offset.
"""

from datetime import datetime
from typing import Any

import click


class Time(click.ParamType[Any]):
    """
    An ISO-8601 time that says its zone, as `kafka.start` takes it.
    """

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """
        Read a time.
        """
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self.fail(
                f"{value!r} is no ISO-8601 time with its zone, as 2026-10-01T00:00:00Z",
                param,
                context,
            )
        return at


class Bound(Time):
    """
    An offset of a partition, or a time.
    """

    name = "offset|time"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """
        Read an offset where there are only digits, else a time.
        """
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        return super().convert(value, param, context)
