"""
What a consumer is told of its partitions between records.
"""

from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message

from sink.core.record import Partition


@dataclass(frozen=True, slots=True)
class Problem:
    """
    An error of one partition, delivered between records.
    """

    partition: Partition
    no_position: bool  # neither a committed offset nor one within the log: somebody must seek
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """
    News that a partition was read to its end, where its next record will be.

    What is no record counts: markers of transactions, aborted records, what compaction removed.
    """

    partition: Partition
    offset: int


News = Problem | End


def news_of(message: Message, error: KafkaError) -> News:
    """
    Read what came in place of a record.

    Raises:
        KafkaException: The consumer is broken for good.
    """
    partition = Partition(message.topic() or "", message.partition() or 0)
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
        return End(partition, message.offset() or 0)
    no_position = error.code() == KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
    # A fenced static member hears of it in this way only: the error's own flag is not set.
    if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
        raise KafkaException(error)
    return Problem(partition, no_position, error.str())
