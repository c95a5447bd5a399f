"""
What is aimed at, held against what was measured. A target that is missed is told, and no failure.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Target(NamedTuple):
    """
    An aim and what was measured.
    """

    what: str
    measured: float
    limit: float
    least: bool = False  # the limit is the least that is good, not the most

    @property
    def met(self) -> bool:
        """
        Tell whether it is reached.
        """
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def wanted(self) -> str:
        """
        Name the limit.
        """
        return f"at {'least' if self.least else 'most'} {self.limit:g}"


def told(targets: Iterable[Target]) -> str:
    """
    Say of each target whether it is met, a line each.
    """
    return "\n".join(
        f"{'met   ' if each.met else 'MISSED'} {each.what}: {each.measured:g}, {each.wanted}"
        for each in targets
    )


def table(targets: Iterable[Target]) -> str:
    """
    Return the same as a table of a page.
    """
    rows = [
        f"| {each.what} | {each.wanted} | {each.measured:g} | {said} |"
        for each in targets
        for said in ["met" if each.met else "**missed**"]
    ]
    return "\n".join(["| Target | | Measured | |", "|---|---|---|---|", *rows])
