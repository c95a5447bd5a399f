"""
Pieces of the pages: a median with its extremes, a table, where it was measured.
"""

from collections.abc import Iterable, Mapping, Sequence

from bench.measure import Spread, spread
from bench.surroundings import Machine


def text(values: Spread, digits: int) -> str:
    """
    Show a median, in brackets the least and the greatest.
    """
    median, low, high = (f"{value:,.{digits}f}" for value in values)
    return f"{median} ({low} … {high})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    Return a table of a page.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def where(machine: Machine, versions: Mapping[str, str], loads: Sequence[float]) -> str:
    """
    Say where and with what something was measured.

    Args:
        loads: Load averages before the runs.
    """
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"On {machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"load average before a run {text(spread(loads), 1)}. {named}."
        + ("" if max(loads) <= _QUIET * machine["cores"] else _PROVISIONAL)
    )


# Of the cores: broker, null server and candidate leave as much behind themselves.
_QUIET = 1.5
_PROVISIONAL = " **Provisional: the machine had other work. To be taken again on a quiet one.**"
