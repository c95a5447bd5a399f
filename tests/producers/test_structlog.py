"""
The processor for structlog, with a fake client.
"""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sink.appender import KafkaProcessor
from sink.producer import Counts
from tests.producers.client import FakeClient, documents, refuse

SERVERS = "127.0.0.1:1"


@pytest.fixture
def processor(clients: list[FakeClient]) -> Iterator[KafkaProcessor]:
    processor = KafkaProcessor(SERVERS, "orders", fields={"appname": "shop"})
    yield processor
    processor.close()


def structured(processor: KafkaProcessor, *before: Any) -> tuple[Any, list[str]]:
    """
    Make a logger with the processor, and the list of what it renders.
    """
    rendered: list[str] = []

    def keep(_: Any, __: str, event_dict: Any) -> Any:
        rendered.append(json.dumps(event_dict, default=str))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(None, processors=[*before, processor, keep])
    return logger, rendered


def test_an_event_of_structlog_becomes_the_same_fields(
    clients: list[FakeClient], processor: KafkaProcessor
) -> None:
    logger, rendered = structured(processor)
    event = {"logger": "com.example.orders", "item": "茶杯", "order": 42}
    logger.bind(**event).warning("库存不足", _record="of a library")

    (document,) = documents(clients[0])
    assert isinstance(document.pop("logtime"), int)
    assert document == {
        "level": "WARNING",
        "threadname": threading.current_thread().name,
        "loggername": "com.example.orders",
        "msg": "库存不足",
        "appname": "shop",
        "item": "茶杯",
        "order": 42,
    }
    assert json.loads(rendered[0]) == {
        "logger": "com.example.orders",
        "event": "库存不足",
        "item": "茶杯",
        "order": 42,
        "_record": "of a library",
    }


@pytest.mark.parametrize(
    "before", [(), (structlog.processors.format_exc_info,)], ids=["as it comes", "formatted"]
)
def test_the_traceback_of_an_event_stands_in_the_message(
    clients: list[FakeClient], processor: KafkaProcessor, before: tuple[Any, ...]
) -> None:
    logger, _ = structured(processor, *before)
    try:
        refuse()
    except ConnectionError:
        logger.exception("order failed")

    (document,) = documents(clients[0])
    assert document["level"] == "ERROR"
    assert document["msg"].startswith("order failed\nTraceback (most recent call last):\n")
    assert document["msg"].endswith("ConnectionError: refused")
    assert "exc_info" not in document


def test_an_event_that_cannot_be_read_is_counted_and_handed_on(
    clients: list[FakeClient], processor: KafkaProcessor
) -> None:
    class Rude:
        def __bool__(self) -> bool:
            raise LookupError("no")

    event = {"event": "x", "exc_info": Rude()}

    assert processor(None, "info", event) is event
    assert processor.dropped == 1
    assert processor.counts() == Counts(0, 0, 1)
