"""
A second route of the same sink, with topics and indices of its own.
"""

from dataclasses import replace

from tests.engines.running import Setup

_ROUTE = """
[[routes]]
name = "{word}"
prefix = "{prefix}-"
index = {{ prefix = "{prefix}-", period = "month", zone = "{zone}" }}
"""


def second_route(setup: Setup, word: str, zone: str = "UTC") -> Setup:
    """
    Add a route to a setup whose sink is not started yet.

    Args:
        word: In front of the names of its topics and indices.
    Returns:
        The setup of its topics, for producing and judging; the sink is the first setup's.
    """
    other = replace(setup, name=f"{word}{setup.name}")
    route = _ROUTE.format(word=word, prefix=other.name, zone=zone)
    setup.settings["more"] = setup.settings.get("more", "") + route
    return other
