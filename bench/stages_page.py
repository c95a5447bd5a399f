"""
Shows the bench of the stages: its table and its part of docs/performance.md.
"""

from bench.result import Stages
from bench.tables import table, where

_PAGE = """
## Where each tenth of a microsecond goes

{measured}

    python -m bench.stages
"""


def rendered(one: Stages) -> str:
    """
    Return the part of the page.
    """
    return _PAGE.format(measured=measured(one))


def measured(one: Stages) -> str:
    """
    Return the stages as a table, and where they were measured.
    """
    own, floors = one["sink"], one["floor"]
    rows = [
        [name, f"{spent:.2f}", f"{floors[name]:.2f}" if name in floors else ""]
        for name, spent in own.items()
    ]
    rows.append(["together", f"{sum(own.values()):.2f}", f"{sum(floors.values()):.2f}"])
    told = table(["step", "sink, µs CPU a record", "floor loop, µs"], rows)
    return f"{told}\n\n{where(one['machine'], one['versions'], [one['load']])}"
