"""
What becomes of a question that the brokers do not answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from sink.errors import Unavailable


@contextmanager
def telling(what: str) -> Iterator[None]:
    """
    Ask within this.

    Raises:
        Unavailable: The brokers do not tell it.
    """
    try:
        yield
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not tell {what}: {failure.args[0].str()}") from failure
