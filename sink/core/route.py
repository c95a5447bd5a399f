"""
Which route a topic takes: the first that matches, and what its user topic is called.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sink.core.action import action_head
from sink.core.collector import Collector
from sink.core.dating import Dating
from sink.core.naming import IndexNames


@dataclass(frozen=True, slots=True)
class Route:
    """
    A set of topics, what is made of their records and where it goes.

    Args:
        topics: Literal names; empty where a pattern is given.
        pattern: A regular expression that must match the whole topic.
        prefix: Cut from the topic to give the user topic.
        deterministic_ids: Ids from topic id, partition, leader epoch and offset.
        id_field: Holds the id instead; the two exclude each other, and without both Elasticsearch
            picks one.
        versioned: A document's version is its record's offset.
        dating: Which time dates the index.
        new_per_hour_max: Of names that may get their first index; None for any number.
        create_ahead: The next period's indices are made before it begins.
        pipeline: An ingest pipeline of the cluster, that its documents go through.
    """

    name: str
    topics: tuple[str, ...]
    pattern: str | None
    prefix: str
    collector: Collector
    names: IndexNames
    op_type: str
    deterministic_ids: bool
    id_field: str | None
    versioned: bool
    dating: Dating
    new_per_hour_max: int | None
    create_ahead: bool
    pipeline: str | None

    @property
    def action_head(self) -> bytes:
        """
        Give what stands in front of index and id in its action lines.
        """
        return action_head(self.op_type, self.pipeline)

    def matches(self, topic: str) -> bool:
        """
        Tell whether a topic takes this route.
        """
        if topic in self.topics:
            return True
        return self.pattern is not None and re.fullmatch(self.pattern, topic) is not None

    def user_topic(self, topic: str) -> str:
        """
        Restore the user topic's name.
        """
        return topic.removeprefix(self.prefix)


def prefix_pattern(prefix: str) -> str:
    """
    Make the pattern of a prefix. A topic that is the prefix alone has no user topic: no match.

    Of the characters legal in topics only the dot means anything to the three engines that read
    the pattern: Python's re, librdkafka's POSIX expressions, the broker's RE2 (KIP-848).
    """
    return prefix.replace(".", r"\.") + ".+"


def subscription(routes: Sequence[Route]) -> list[str]:
    """
    List what to subscribe to: literal names, and patterns anchored at both ends.

    Source: librdkafka, rd_kafka_subscribe(): a name that begins with ^ is a pattern. Under KIP-848
    the broker's pattern must match the whole name in any case.
    """
    wanted: list[str] = []
    for route in routes:
        wanted += route.topics
        if route.pattern is not None:
            wanted.append(f"^({route.pattern})$")
    return wanted


def route_of(topic: str, routes: Sequence[Route]) -> Route | None:
    """
    Find the first route that a topic matches.
    """
    return next((route for route in routes if route.matches(topic)), None)
