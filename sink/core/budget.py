"""
How much memory the daemon may take: computed at start, logged, and held against a test.
"""

from sink.config import Config

# Interpreter, libraries, three librdkafka clients and their threads, measured at idle.
BASE_BYTES = 80 * 1024 * 1024
# Python objects around a polled record: a Message, its value's and its topic's header, the action.
RECORD_OVERHEAD_BYTES = 450
PRODUCER_BYTES = 16 * 1024 * 1024


def places(config: Config) -> int:
    """
    Count the bulks that may be outstanding, those that their callers run included.
    """
    return config.bulk.queue_slots + config.bulk.in_flight + config.kafka.threads


def memory_bound_bytes(config: Config) -> int:
    """
    Bound the resident memory.

    threads x (prefetch + one fetch + 2 x poll) + outstanding bulks x (bulk + objects)
    + bodies in flight x 2 + parked bytes + producer queues + base.
    """
    kafka, bulk = config.kafka, config.bulk
    prefetch = kafka.queued_kbytes * 1024 + kafka.fetch_bytes_max
    polled = 2 * kafka.poll_bytes_max + bulk.docs_max * RECORD_OVERHEAD_BYTES
    held = bulk.bytes_max + bulk.docs_max * RECORD_OVERHEAD_BYTES
    return (
        kafka.threads * (prefetch + polled)
        + places(config) * held
        + 2 * bulk.in_flight * bulk.bytes_max
        + config.park.bytes_max
        + 2 * PRODUCER_BYTES
        + BASE_BYTES
    )
