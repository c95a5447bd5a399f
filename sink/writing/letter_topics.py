"""
Sees that the topics of letters are there, and that they keep what is written there.
"""

from collections.abc import Sequence

import structlog

from sink.config import Config
from sink.core.keeping import Departure, mending
from sink.core.route import Route, route_of
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.letter_topics import ensure_topics, topic_departures
from sink.errors import Unauthorized

log = structlog.get_logger()


class LetterTopics:
    """
    The dead-letter topic and the parked topic. One thread calls `ensure`.

    Brokers that make topics by themselves make a deleted one anew at anybody's question, with
    their own retention: so it is looked at again and again.
    """

    def __init__(self, config: Config, routes: Sequence[Route], brokers: Brokers) -> None:
        self.at_risk: tuple[Departure, ...] = ()  # replaced as a whole, read by any thread
        self._config = config
        self._routes = routes
        self._brokers = brokers
        self._unread: set[str] = set()  # topics whose settings we may not read

    def ensure(self) -> dict[str, int]:
        """
        Create those that are not there, and say which settings delete letters.

        Settings of topics that exist are their operators': they are told, and not changed.

        Returns:
            The largest message each takes, in bytes.
        Raises:
            Unauthorized, Unavailable: One is not there and cannot be created.
        """
        sources = [topic for topic in self._brokers.topics() if route_of(topic, self._routes)]
        limits = ensure_topics(self._config, self._brokers, sources)
        found = [departure for topic in limits for departure in self._departures(topic)]
        for topic in limits:
            self._tell([each for each in found if each.topic == topic])
        self.at_risk = tuple(found)
        return limits

    def _departures(self, topic: str) -> list[Departure]:
        try:
            found = topic_departures(self._config, self._brokers, topic)
        except Unauthorized as failure:
            if topic not in self._unread:
                self._unread.add(topic)
                log.warning(
                    "whether the brokers delete letters is not known: allow DESCRIBE_CONFIGS",
                    topic=topic,
                    reason=str(failure),
                )
            return []
        self._unread.discard(topic)
        return found

    def _tell(self, found: Sequence[Departure]) -> None:
        """
        Log what is new about a topic, with the command that mends all of it.
        """
        for each in found:
            if each not in self.at_risk:
                log.error(
                    "the brokers may delete letters that are committed",
                    topic=each.topic,
                    setting=each.setting,
                    value=each.value,
                    wanted=each.wanted,
                    mend=mending(self._config.kafka.bootstrap_servers, each.topic, found),
                )
