"""
The dead-letter topic and the parked topic: acknowledged before any offset moves past the record.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sink.config import Config
from sink.core.dead_letter import STUB_BYTES, DeadLetter
from sink.core.record import Headers
from sink.edge.kafka.letter_topics import HEADER_BYTES
from sink.edge.kafka.properties import Renewal, producer
from sink.errors import Unavailable

log = structlog.get_logger()


class DeadLetters:
    """
    Writes letters to one topic. One thread at a time calls `write`.

    Args:
        message_bytes_max: What the topic takes.
        origin: Headers that every letter of this process carries.
        stubs: A record that does not fit is written as a stub; otherwise it is not written.
        widen: Has a topic take messages of so many bytes, when a record does not fit.
    Raises:
        Unavailable: The system gives librdkafka no thread.
    """

    def __init__(
        self,
        config: Config,
        topic: str,
        message_bytes_max: int,
        origin: Mapping[str, str],
        *,
        stubs: bool,
        widen: Callable[[str, int], None] | None = None,
    ) -> None:
        self._topic = topic
        self._origin = origin
        self._stubs = stubs
        self._widen = widen
        self._refused_bytes: int | None = None  # the least of those that did not fit at last
        self._timeout_s = config.dead_letter.delivery_timeout_ms / 1000
        self._renewal = Renewal(config.kafka)
        timeout_ms = config.dead_letter.delivery_timeout_ms
        try:
            self._producer = Producer(producer(config.kafka, timeout_ms, message_bytes_max))
        except KafkaException as failure:
            raise Unavailable(f"topic {topic}: {failure.args[0].str()}") from failure

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """
        Write letters and wait until each is acknowledged by all in-sync replicas.

        Raises:
            Unavailable: At least one was not acknowledged. Writing all again is harmless: letters
                are told apart by topic, partition and offset.
        """
        self._renewal.renew(self._producer)
        if not self._stubs:
            self._write_whole(letters)
            return
        too_large = self._deliver(letters, stub=False)
        if too_large and self._deliver(too_large, stub=True):
            raise Unavailable(f"dead-letter topic {self._topic} takes not even a stub of 64 KiB")

    def close(self) -> None:
        """
        Throw away what was not acknowledged (its offsets were not committed either).
        """
        self._producer.purge()

    def _write_whole(self, letters: Sequence[DeadLetter]) -> None:
        """
        Write letters none of which may be cut, wider ones than the topic takes after it was raised.
        """
        bound, parts = self._refused_bytes, [letters]
        if bound is not None:
            # First and alone: refused again, the others would be written again at each attempt.
            doubtful = [each for each in letters if each.size_bytes() >= bound]
            parts = [doubtful, [each for each in letters if each.size_bytes() < bound]]
        for part in parts:
            if too_large := self._deliver(part, stub=False):
                self._make_room(too_large)

    def _make_room(self, too_large: Sequence[DeadLetter]) -> None:
        """
        Have the topic take what it refused, and write that.
        """
        sizes = [each.size_bytes() for each in too_large]
        self._refused_bytes = min(sizes)
        wanted = max(sizes) + HEADER_BYTES
        problem = (
            f"topic {self._topic}: {len(sizes)} records are larger than it takes; "
            f"raise its max.message.bytes to {wanted}"
        )
        if self._widen is None:
            raise Unavailable(problem)
        try:
            self._widen(self._topic, wanted)
        except Unavailable as failure:
            raise Unavailable(f"{problem}; the sink could not: {failure}") from failure
        log.warning("topic takes larger messages", topic=self._topic, max_message_bytes=wanted)
        if self._deliver(too_large, stub=False):
            raise Unavailable(f"{problem}; the sink did, and it does not hold yet")
        self._refused_bytes = None

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
