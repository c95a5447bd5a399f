"""
The dead-letter topic and the parked topic themselves: created, and held against what they must be.
"""

from collections.abc import Sequence

from sink.config import Config
from sink.core.keeping import Departure, departures, keeping
from sink.edge.kafka.admin import Brokers
from sink.errors import Unauthorized

# Room for our headers above the largest record of the source topics.
HEADER_BYTES = 64 * 1024
_KAFKA_DEFAULT_BYTES = 1_048_588  # broker default of message.max.bytes
_FOREVER_MS = -1


def ensure_topics(config: Config, brokers: Brokers, sources: Sequence[str]) -> dict[str, int]:
    """
    Create the dead-letter topic and the parked topic unless they are there.

    Returns:
        The largest message each takes, in bytes; the brokers' default where we may not ask.
    Raises:
        Unauthorized, Unavailable: One is not there and cannot be created.
    """
    wanted = (config.dead_letter_topic, config.parked_topic)
    there = brokers.topics()
    for topic in wanted:
        if topic not in there:
            create_topic(config, brokers, topic, sources)
    try:
        return brokers.message_bytes_max(wanted)
    except Unauthorized:
        return dict.fromkeys(wanted, _KAFKA_DEFAULT_BYTES)


def create_topic(
    config: Config,
    brokers: Brokers,
    topic: str,
    sources: Sequence[str],
    *,
    validate_only: bool = False,
) -> None:
    """
    Create a topic for letters, a little wider than the widest of the source topics.

    Args:
        validate_only: The broker only tells whether it would.
    Raises:
        Unauthorized, Unavailable: It cannot be created.
    """
    settings = config.dead_letter
    largest = max(brokers.message_bytes_max(sources).values(), default=_KAFKA_DEFAULT_BYTES)
    brokers.create_topic(
        topic,
        settings.partitions,
        settings.replication_factor,
        _keeping(config, topic) | {"max.message.bytes": str(largest + HEADER_BYTES)},
        validate_only=validate_only,
    )


def topic_departures(config: Config, brokers: Brokers, topic: str) -> list[Departure]:
    """
    Find the settings by which the brokers would delete letters of a topic that is there.

    Raises:
        Unauthorized, Unavailable: They do not tell.
    """
    return departures(topic, brokers.topic_settings([topic])[topic], _keeping(config, topic))


def _keeping(config: Config, topic: str) -> dict[str, str]:
    """
    Give the settings that keep letters. Parked documents wait without limit: they are not done.
    """
    dead = topic == config.dead_letter_topic
    return keeping((config.dead_letter.retention_ms if dead else None) or _FOREVER_MS)
