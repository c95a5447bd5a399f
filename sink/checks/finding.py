"""
What a check found out.
"""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """
    How bad it is.
    """

    OK = "ok"
    WARNING = "warning"  # the sink runs, and something may not be as it was meant
    ERROR = "error"  # the sink would not move all records; also what could not be found out


class Finding(NamedTuple):
    """
    One answer of a check.
    """

    subject: str
    level: Level
    text: str
    remedy: str = ""  # what to do; empty when all is well

    @property
    def ok(self) -> bool:
        """
        Tell whether the sink can run like this.
        """
        return self.level is not Level.ERROR


def good(subject: str, text: str) -> Finding:
    """
    Make a finding that all is well.
    """
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """
    Make a finding that a person should look at.
    """
    return Finding(subject, Level.WARNING, text, remedy)


def error(subject: str, text: str, remedy: str) -> Finding:
    """
    Make a finding that must be mended.
    """
    return Finding(subject, Level.ERROR, text, remedy)


def some(names: list[str]) -> str:
    """
    List names in a line: the first three, and how many more there are.
    """
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
