"""
Asks the brokers again and again which ids topics have, beside the worker's thread.

A topic that is deleted and created again while it is read gives no error: librdkafka goes on at the
old offset of the new log, and by the classic protocol nobody is told (seen with librdkafka 2.16).
"""

import threading
import time
from collections.abc import Callable, Mapping, Set

import structlog

from sink.edge import threads
from sink.errors import Unavailable
from sink.reading.targets import TopicIds

log = structlog.get_logger()

# As often as librdkafka looks for new topics. Until it is noticed, records of the new topic are
# indexed under the old one's id, and again under their own.
_EVERY_S = 10.0


class Identities:
    """
    Has one question under way at most. One thread asks and takes the answers.

    Args:
        topic_ids: Waits for the brokers, so it is called on a thread of its own.
    """

    def __init__(self, topic_ids: TopicIds) -> None:
        self._topic_ids = topic_ids
        self._asking: threading.Thread | None = None
        self._answer: Mapping[str, str] = {}  # written by the asking thread, read when it ended
        self._ask_at = 0.0
        self._valid = False

    def ask(self, held: Callable[[], Set[str]]) -> None:
        """
        Ask for the ids of topics, if it is time and no question is under way. Does not wait.

        Args:
            held: Tells which topics; called only where it is time.
        """
        if self._asking is not None or time.monotonic() < self._ask_at or not (topics := held()):
            return
        self._ask_at = time.monotonic() + _EVERY_S
        self._valid = True
        try:
            self._asking = threads.start(lambda: self._run(topics), "topic-ids")
        except Unavailable as failure:
            log.warning("topic ids not asked for, tried again", reason=str(failure))

    def forget(self) -> None:
        """
        Let an answer that is still to come go: newer ids are known.
        """
        self._valid = False

    def answer(self) -> Mapping[str, str]:
        """
        Take what was answered: topic → id. Empty where nothing new is known.
        """
        if self._asking is None or self._asking.is_alive():
            return {}
        self._asking = None
        return self._answer if self._valid else {}

    def _run(self, topics: Set[str]) -> None:
        self._answer = {}
        try:
            self._answer = self._topic_ids(topics)
        except Unavailable as failure:
            log.warning("topic ids not told, asked again", reason=str(failure))
