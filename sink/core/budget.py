"""
How much memory the daemon may take: computed at start, logged, and held against a test.
"""

from collections.abc import Sequence

from sink.config import Config
from sink.core.body import PIECE_BYTES
from sink.core.record import Headers, Record, headers_of

# Interpreter, libraries, three librdkafka clients and their threads, measured at idle.
BASE_BYTES = 80 * 1024 * 1024
# Python objects around a polled record: a Message, its value's and its topic's header, the action.
RECORD_OVERHEAD_BYTES = 450
# librdkafka's own around a record that waits to be polled (measured: 334 to 355).
QUEUED_OVERHEAD_BYTES = 350
_SMALL_RECORD_BYTES = 500  # smaller ones, well compressed, take more than is reckoned here
# Of a header as Python has it: a pair, a string, bytes, a place in the list (sys.getsizeof).
HEADER_OVERHEAD_BYTES = 160
PRODUCER_BYTES = 16 * 1024 * 1024
_SAMPLE = 64


def places(config: Config) -> int:
    """
    Count the bulks that may be outstanding, those that their callers run included.
    """
    return config.bulk.queue_slots + config.bulk.in_flight + config.kafka.threads


def memory_bound_bytes(config: Config) -> int:
    """
    Bound the resident memory.

    threads x (prefetch + one answer, decompressed + 3 x poll)
    + outstanding bulks x (2 x bulk + objects)
    + in flight x 2 x what is written at once + parked bytes + producer queues + base.
    A document is a copy of its record's value with the time in front of it, and both are held.
    """
    kafka, bulk = config.kafka, config.bulk
    # Of each KiB one record at most: queued.min.messages.
    queued = kafka.queued_kbytes * (1024 + QUEUED_OVERHEAD_BYTES)
    # librdkafka asks for more while its queue is not full, and decompresses the answer as a whole.
    answer = kafka.fetch_bytes_max * kafka.compression_ratio_max
    objects = answer // _SMALL_RECORD_BYTES * QUEUED_OVERHEAD_BYTES
    prefetch = queued + answer + objects
    polled = 3 * kafka.poll_bytes_max + bulk.docs_max * RECORD_OVERHEAD_BYTES
    held = 2 * bulk.bytes_max + bulk.docs_max * RECORD_OVERHEAD_BYTES
    # A piece may be twice the average; what the socket does not take at once is copied.
    whole = config.elasticsearch.compress
    written = bulk.bytes_max if whole else min(bulk.bytes_max, 2 * PIECE_BYTES)
    return (
        kafka.threads * (prefetch + polled)
        + places(config) * held
        + 2 * bulk.in_flight * written
        + config.park.bytes_max
        + 2 * PRODUCER_BYTES
        + BASE_BYTES
    )


def value_bytes(records: Sequence[Record]) -> float:
    """
    Estimate how long a record's value is, on average.
    """
    return _mean([len(record.value() or b"") for record in _sample(records)])


def extra_bytes(records: Sequence[Record]) -> float:
    """
    Estimate what a record takes beside its value, its key and its headers, on average.
    """
    sample = _sample(records)
    return _mean([len(r.key() or b"") + _size_bytes(headers_of(r)) for r in sample])


def _sample(records: Sequence[Record]) -> Sequence[Record]:
    """
    Take 43 to 127 of many.

    Asking each for its headers would cost 0.2 µs a record, and more where it has some: Python's
    objects for them stay as long as the record.
    """
    return records[:: len(records) // _SAMPLE | 1]  # odd: pairs of kinds are both met


def _mean(sizes: Sequence[int]) -> float:
    return sum(sizes) / max(1, len(sizes))


def _size_bytes(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") + HEADER_OVERHEAD_BYTES for name, value in headers)
