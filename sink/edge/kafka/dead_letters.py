"""
The dead-letter topic and the parked topic: acknowledged before any offset moves past the record.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sink.config import Config
from sink.core.dead_letter import STUB_BYTES, DeadLetter
from sink.core.record import Headers
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.properties import Renewal, producer
from sink.errors import Unavailable

# Said here, all of it: else the broker's defaults hold (log.retention.bytes, log.cleanup.policy),
# and delete letters whose records are committed.
_KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
# Room for our headers above the largest record of the source topics.
_HEADER_BYTES = 64 * 1024
_KAFKA_DEFAULT_BYTES = 1_048_588  # broker default of message.max.bytes


def ensure_topics(config: Config, brokers: Brokers, sources: Sequence[str]) -> dict[str, int]:
    """
    Create the dead-letter topic and the parked topic unless they are there.

    What is in them is kept for ever: deleting it is a person's decision.

    Returns:
        The largest message each takes, in bytes.
    Raises:
        Unauthorized, Unavailable: One is not there and cannot be created.
    """
    wanted = (config.dead_letter_topic, config.parked_topic)
    there = brokers.topics()
    for topic in wanted:
        if topic not in there:
            create_topic(config, brokers, topic, sources)
    return brokers.message_bytes_max(wanted)


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
        _KEPT | {"max.message.bytes": str(largest + _HEADER_BYTES)},
        validate_only=validate_only,
    )


class DeadLetters:
    """
    Writes letters to one topic. One thread at a time calls `write`.

    Args:
        message_bytes_max: What the topic takes.
        origin: Headers that every letter of this process carries.
        stubs: A record that does not fit is written as a stub; otherwise it is not written.
    """

    def __init__(
        self,
        config: Config,
        topic: str,
        message_bytes_max: int,
        origin: Mapping[str, str],
        *,
        stubs: bool,
    ) -> None:
        self._topic = topic
        self._origin = origin
        self._stubs = stubs
        self._timeout_s = config.dead_letter.delivery_timeout_ms / 1000
        self._renewal = Renewal(config.kafka)
        self._producer = Producer(
            producer(config.kafka, config.dead_letter.delivery_timeout_ms, message_bytes_max)
        )

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """
        Write letters and wait until each is acknowledged by all in-sync replicas.

        Raises:
            Unavailable: At least one was not acknowledged. Writing all again is harmless: letters
                are told apart by topic, partition and offset.
        """
        self._renewal.renew(self._producer)
        too_large = self._deliver(letters, stub=False)
        if too_large and not self._stubs:
            raise Unavailable(
                f"topic {self._topic}: {len(too_large)} records are larger than it takes; "
                "raise its max.message.bytes above that of the source topics"
            )
        if too_large and self._deliver(too_large, stub=True):
            raise Unavailable(f"dead-letter topic {self._topic} takes not even a stub of 64 KiB")

    def close(self) -> None:
        """
        Throw away what was not acknowledged (its offsets were not committed either).
        """
        self._producer.purge()

    def _deliver(self, letters: Sequence[DeadLetter], *, stub: bool) -> list[DeadLetter]:
        """
        Produce letters and wait for their acknowledgement.

        Returns:
            Those that are too large, refused by the client or by the broker.
        """
        pending = _Pending(len(letters))
        for letter in letters:
            value, key = _bytes(letter.record.value()), _bytes(letter.record.key())
            headers = letter.headers(self._origin, STUB_BYTES if stub else None)
            if stub:
                # Key or headers of the record may be what is too large: it goes without such.
                value, told = letter.stub()
                headers += told
                key = key if len(key or b"") <= STUB_BYTES else None
            self._produce(letter, key, value, headers, pending)
        self._producer.flush(self._timeout_s + 1)
        pending.check(self._topic)
        return pending.too_large

    def _produce(
        self,
        letter: DeadLetter,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        pending: "_Pending",
    ) -> None:
        done = partial(pending.delivered, letter)
        for _ in range(2):
            try:
                self._producer.produce(self._topic, value, key, headers=headers, on_delivery=done)
            except BufferError:
                self._producer.flush(self._timeout_s)  # full: wait for room, once
            except KafkaException as failure:
                return done(failure.args[0], None)
            else:
                return None
        raise Unavailable(f"topic {self._topic}: the producer's queue stays full")


class _Pending:
    """
    The acknowledgements one delivery waits for. Callbacks come within `flush`, on its thread.
    """

    def __init__(self, letters: int) -> None:
        self._open = letters
        self._errors: list[str] = []
        self.too_large: list[DeadLetter] = []

    def delivered(self, letter: DeadLetter, error: KafkaError | None, _: Message | None) -> None:
        self._open -= 1
        if error is None:
            return
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self.too_large.append(letter)
        else:
            self._errors.append(error.str())

    def check(self, topic: str) -> None:
        missing = self._open + len(self._errors)
        if missing:
            reason = self._errors[0] if self._errors else "no acknowledgement in time"
            raise Unavailable(
                f"topic {topic}: letters are not acknowledged ({reason}); "
                "they are written again, and nothing is committed before"
            )


def _bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
