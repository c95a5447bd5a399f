"""
What the settings of a route mean for its documents: told before they are met.
"""

from collections.abc import Callable, Sequence

from sink.checks.finding import Finding, good, warning
from sink.core.route import Route

_Row = tuple[Callable[[Route], bool], Callable[[str, str], Finding]]


def findings(routes: Sequence[Route]) -> list[Finding]:
    """
    Tell of each route what a person might not expect of it. Asks nobody.
    """
    return [
        make(f"route {route.name}", route.id_field or "")
        for route in routes
        for holds, make in _ROWS
        if holds(route)
    ]


_ROWS: tuple[_Row, ...] = (
    (
        lambda route: route.id_field is not None and route.op_type == "create",
        lambda subject, field: good(
            subject,
            f"ids come from {field}: of records with the same the first is indexed, each further "
            "one is answered 409 and counted as duplicate",
        ),
    ),
    (
        lambda route: (
            route.id_field is not None and route.op_type == "index" and not route.versioned
        ),
        lambda subject, field: warning(
            subject,
            f"ids come from {field} and a document replaces the one that is there: the one sent "
            "last, which need not be the record that is newest, for bulks run side by side and "
            "are sent again",
            'set version = "offset" where all records of an id are in one partition',
        ),
    ),
    (
        lambda route: route.versioned,
        lambda subject, field: good(
            subject,
            f"ids come from {field}: the record of the highest offset stays, an older one is "
            "counted as duplicate. Only if all records of an id are in one partition, and the "
            "topic is never created again (its offsets begin at 0)",
        ),
    ),
    (
        lambda route: route.id_field is not None and route.names.has_date,
        lambda subject, field: warning(
            subject,
            f"ids come from {field} and the index has a date: the same id in another period is "
            "another document",
            "give index.name without a date (an alias), or take the date from a field of the "
            "document with index.time_field",
        ),
    ),
    (
        lambda route: route.names.stream,
        lambda subject, _: good(
            subject,
            "a data stream tells duplicates within one backing index: a record that is read again "
            "after a rollover is a second document",
        ),
    ),
)
