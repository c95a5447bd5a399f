"""
Which routes write to an index that has no template of theirs.
"""

from collections.abc import Iterable, Sequence

from sink.core.destination import Destination, covers
from sink.core.template import Template, makes_streams, patterns_of


def uncovered(destinations: Iterable[Destination], templates: Iterable[Template]) -> list[str]:
    """
    List the routes with an index that no index template matches.

    A data stream needs one that makes data streams, an index one that makes none.

    Args:
        templates: Those in the cluster, foreign ones included, and those that will be.
    """
    patterns: dict[bool, list[str]] = {False: [], True: []}
    for template in templates:
        patterns[makes_streams(template)] += patterns_of(template)
    return [
        each.route
        for each in destinations
        if not each.patterns
        or not all(
            any(covers(wide, narrow) for wide in patterns[each.stream]) for narrow in each.patterns
        )
    ]


def shadowed(
    destinations: Iterable[Destination], own: Sequence[Template], others: Sequence[Template]
) -> list[tuple[str, Template, Template]]:
    """
    List the routes whose index takes another template, of a higher priority than the sink's own.

    Source: Elasticsearch, "Index templates": of those that match an index only the one with the
    highest priority applies.

    Returns:
        The route, the sink's template and the one that wins over it.
    """
    found = []
    for each in destinations:
        fit = [template for template in own if makes_streams(template) is each.stream]
        ours, theirs = winner(each.sample, fit), winner(each.sample, others)
        if ours is not None and theirs is not None and _priority(theirs) > _priority(ours):
            found.append((each.route, ours, theirs))
    return found


def winner(index: str, templates: Iterable[Template]) -> Template | None:
    """
    Find the index template that an index takes; None where no pattern matches its name.
    """
    matching = [
        template
        for template in templates
        if any(covers(pattern, index) for pattern in patterns_of(template))
    ]
    return max(matching, key=_priority, default=None)


def _priority(template: Template) -> int:
    priority = template.body.get("priority")
    return priority if isinstance(priority, int) else 0
