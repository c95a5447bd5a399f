"""
Which target each topic of a worker has: learned when its partitions are assigned.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from sink.core.route import Route, route_of
from sink.core.target import Target
from sink.edge.kafka.admin import NO_TOPIC_ID
from sink.errors import Unavailable

log = structlog.get_logger()

TopicIds = Callable[[Iterable[str]], Mapping[str, str]]


class Targets(dict[str, Target]):
    """
    topic → target. One worker thread owns it.

    Args:
        topic_ids: Asks the brokers for the ids of topics; raises Unavailable.
        id_namespace: Stands for the topic id where the broker has none.
    """

    def __init__(
        self, routes: Sequence[Route], topic_ids: TopicIds, id_namespace: str | None
    ) -> None:
        super().__init__()
        self._routes = routes
        self._topic_ids = topic_ids
        self._id_namespace = id_namespace

    def learn(self, topics: Iterable[str]) -> None:
        """
        Find route and id of topics. A topic that no route takes gets no target: it is not read.

        Raises:
            Unavailable: The brokers do not tell the id of a topic.
        """
        wanted = set(topics)
        ids = self._topic_ids(wanted) if wanted else {}
        for topic in wanted:
            route = route_of(topic, self._routes)
            if route is None:
                log.error("topic matches no route, it is not read", topic=topic)
            else:
                self[topic] = Target(topic, route, self._id(topic, ids))

    def _id(self, topic: str, ids: Mapping[str, str]) -> str:
        topic_id = ids.get(topic)
        if topic_id is None:
            raise Unavailable(f"topic {topic} vanished before its id was known")
        if topic_id != NO_TOPIC_ID:
            return topic_id
        if self._id_namespace is None:
            raise Unavailable(
                f"topic {topic}: the broker has no topic ids (Kafka before 2.8), and without them "
                "a topic created again would lose records; set kafka.id_namespace"
            )
        return f"{self._id_namespace}.{topic}"
