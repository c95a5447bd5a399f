"""
Kafka, its letters, Elasticsearch and Kibana in memory, for the sink's tests and for yours.

They fail when they are told to, and nothing in them waits for a clock.
"""

from sink.testing.broker import FakeBroker, topic_id
from sink.testing.collectors import check_collector
from sink.testing.dead_letters import FakeDeadLetters, FakeParked
from sink.testing.elastic import (
    BUSY,
    NO_ANSWER,
    UNAUTHORIZED,
    UNAVAILABLE,
    FakeElastic,
)
from sink.testing.indices import FakeIndices
from sink.testing.kibana import FakeKibana
from sink.testing.operations import operations
from sink.testing.record import FakeRecord
from sink.testing.source import FakeSource
from sink.testing.templates import FakeTemplates

__all__ = [
    "BUSY",
    "NO_ANSWER",
    "UNAUTHORIZED",
    "UNAVAILABLE",
    "FakeBroker",
    "FakeDeadLetters",
    "FakeElastic",
    "FakeIndices",
    "FakeKibana",
    "FakeParked",
    "FakeRecord",
    "FakeSource",
    "FakeTemplates",
    "check_collector",
    "operations",
    "topic_id",
]
