"""
Which target each topic of a worker has: learned when its partitions are assigned.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from sink.core.parked import ParkedTarget
from sink.core.route import Route, route_of
from sink.core.target import Target
from sink.edge.kafka.admin import NO_TOPIC_ID
from sink.errors import Unavailable

log = structlog.get_logger()

AnyTarget = Target | ParkedTarget
TopicIds = Callable[[Iterable[str]], Mapping[str, str]]


class Targets(dict[str, AnyTarget]):
    """
    topic → target. One worker thread owns it.

    Args:
        topic_ids: Asks the brokers for the ids of topics; raises Unavailable.
        id_namespace: Stands for the topic id where the broker has none.
        parked_topic: What the sink wrote there itself it reads again.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        topic_ids: TopicIds,
        id_namespace: str | None,
        parked_topic: str | None = None,
    ) -> None:
        super().__init__()
        self._routes = routes
        self._topic_ids = topic_ids
        self._id_namespace = id_namespace
        self.parked_topic = parked_topic
        self.parked = ParkedTarget(self._target_of)  # knows what operators decided
        self._ids: dict[str, str] = {}  # as the brokers told them
        self._former: set[str] = set()  # ids of topics that are no more
        self._created_again: set[str] = set()

    def learn(self, topics: Iterable[str]) -> None:
        """
        Find route and id of topics. A topic that no route takes gets no target: it is not read.

        Raises:
            Unavailable: The brokers do not tell the id of a topic; the others are learned.
        """
        wanted = set(topics)
        told = self.ask(wanted) if wanted else {}
        for topic in wanted & told.keys():
            self._adopt(topic, told[topic])
        vanished = wanted - told.keys()
        self.forget(vanished)
        if vanished:
            names = ", ".join(sorted(vanished))
            raise Unavailable(f"topic {names} vanished before its id was known")

    def ask(self, topics: Iterable[str]) -> Mapping[str, str]:
        """
        Ask the brokers for the ids of topics. Any thread may; a topic they do not know has none.

        Raises:
            Unavailable: They do not tell.
        """
        return self._topic_ids(topics)

    def compare(self, told: Mapping[str, str]) -> None:
        """
        Hold topics that are known against what the brokers say now.
        """
        for topic in told.keys() & self.keys():
            self._adopt(topic, told[topic])

    def created_again(self) -> set[str]:
        """
        Take the topics that turned out to be others than they were.
        """
        again, self._created_again = self._created_again, set()
        return again

    def forget(self, topics: Iterable[str]) -> None:
        """
        Forget topics of which nothing is held: they may be others when they come again.
        """
        for topic in topics:
            self._ids.pop(topic, None)
            self.pop(topic, None)

    def topic_id(self, topic: str) -> str | None:
        """
        Tell the id of a topic, as the brokers gave it; None where they have none, or it is unknown.
        """
        known = self._ids.get(topic)
        return None if known == NO_TOPIC_ID else known

    def _adopt(self, topic: str, told: str) -> None:
        known = self._ids.get(topic)
        if known is not None:
            # A former id comes from a broker that lags behind; none, or one at last, from a
            # cluster that is being upgraded: the topic is the same.
            if told == known or told in self._former or NO_TOPIC_ID in (told, known):
                return
            self._former.add(known)
            self._created_again.add(topic)
        target = self._target(topic, told)
        self._ids[topic] = told
        if target is not None:
            self[topic] = target

    def _target(self, topic: str, told: str) -> AnyTarget | None:
        if topic == self.parked_topic:
            return self.parked
        route = route_of(topic, self._routes)
        if route is None:
            log.error("topic matches no route, it is not read", topic=topic)
            return None
        return Target(topic, route, self._name(topic, told))

    def _target_of(self, topic: str, topic_id: str) -> Target | None:
        route = route_of(topic, self._routes)
        return None if route is None else Target(topic, route, topic_id)

    def _name(self, topic: str, told: str) -> str:
        if told != NO_TOPIC_ID:
            return told
        if self._id_namespace is None:
            raise Unavailable(
                f"topic {topic}: the broker has no topic ids (Kafka before 2.8), and without them "
                "a topic created again would lose records; set kafka.id_namespace"
            )
        return f"{self._id_namespace}.{topic}"
