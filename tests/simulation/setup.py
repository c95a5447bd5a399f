"""
How large a simulated sink is.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setup:
    """
    The sizes of a sink: small ones, so that a few records meet every bound.

    Args:
        processes: Sinks of one group.
        threads: Workers of each.
        places: Bulks that may be outstanding.
        docs_max: Documents of a bulk.
        rate_max: Dead letters of a topic, in a minute.
    """

    processes: int = 1
    threads: int = 1
    places: int = 2
    docs_max: int = 5
    park_bytes_max: int = 1_000_000
    park_ms_max: int = 86_400_000
    rate_max: int | None = None
