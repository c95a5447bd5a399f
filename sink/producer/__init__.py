"""
Sends log records to Kafka from an application: bounded, never waiting, counting what is lost.

It needs confluent_kafka and the standard library, and nothing else of the sink.
"""

from sink.producer.losses import Losses
from sink.producer.sender import Counts, Producer

__all__ = ["Counts", "Losses", "Producer"]
