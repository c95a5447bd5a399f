"""
The handler for logging, with a fake client.
"""

import logging
import logging.config
import threading
import time
from collections.abc import Iterator

import pytest

from sink.appender import KafkaHandler
from sink.producer import Counts
from tests.producers.client import FakeClient, documents, refuse
from tests.waiting import wait_until

SERVERS = "127.0.0.1:1"


@pytest.fixture
def handler(clients: list[FakeClient]) -> Iterator[KafkaHandler]:
    handler = KafkaHandler(SERVERS, "orders", fields={"appname": "shop", "order": 0})
    yield handler
    handler.close()


@pytest.fixture
def logger(handler: KafkaHandler) -> logging.Logger:
    return logger_of("com.example.orders", handler)


def logger_of(name: str, handler: KafkaHandler) -> logging.Logger:
    logger = logging.Logger(name)  # noqa: LOG001 - of the test alone, with no other handler
    logger.addHandler(handler)
    return logger


def test_a_line_has_the_fields_of_the_ekk_appender_and_the_applications(
    clients: list[FakeClient], logger: logging.Logger
) -> None:
    before_ms = int(time.time() * 1000)
    logger.warning("库存 %d", 3, extra={"order": 42, "item": "茶杯"})

    ((topic, _),) = clients[0].records
    (document,) = documents(clients[0])
    assert topic == "ekk-orders"
    assert before_ms <= document.pop("logtime") <= time.time() * 1000
    assert document == {
        "level": "WARNING",
        "threadname": threading.current_thread().name,
        "loggername": "com.example.orders",
        "msg": "库存 3",
        "appname": "shop",
        "order": 42,
        "item": "茶杯",
    }


def test_the_traceback_stands_in_the_message(
    clients: list[FakeClient], logger: logging.Logger
) -> None:
    try:
        refuse()
    except ConnectionError:
        logger.exception("order failed")

    (document,) = documents(clients[0])
    assert document["msg"].startswith("order failed\nTraceback (most recent call last):\n")
    assert document["msg"].endswith("ConnectionError: refused")
    assert set(document) == {
        *("logtime", "level", "threadname", "loggername", "msg", "appname", "order")
    }


def test_extra_fields_cannot_take_the_names_of_the_appenders(
    clients: list[FakeClient], logger: logging.Logger
) -> None:
    logger.info("x", extra={"level": "mine", "logtime": "never"})

    (document,) = documents(clients[0])
    assert document["level"] == "INFO"
    assert isinstance(document["logtime"], int)


def test_names_with_an_underscore_in_front_are_of_libraries_and_stay_out(
    clients: list[FakeClient], logger: logging.Logger
) -> None:
    """structlog leaves such; Elasticsearch refuses a document with `_id` in it."""
    logger.info("x", extra={"_id": 1, "_record": object(), "id": 2})

    (document,) = documents(clients[0])
    assert document["id"] == 2
    assert not [name for name in document if name.startswith("_")]


def test_a_formatter_makes_the_message(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    handler.setFormatter(logging.Formatter("[%(module)s] %(message)s"))
    logger.info("x")

    assert documents(clients[0])[0]["msg"] == "[test_appender] x"


def test_a_message_whose_arguments_do_not_fit_is_sent_all_the_same(
    clients: list[FakeClient], logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    logger.info("%d items", "many")

    message = documents(clients[0])[0]["msg"]
    assert "%d items" in message
    assert "many" in message
    assert "TypeError" in message
    assert capfd.readouterr().err == ""


class _Rude:
    def __repr__(self) -> str:
        raise LookupError("no")


def test_an_error_inside_formatting_does_not_reach_the_application(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    logger.info("%s", _Rude())
    logger.info("fine", extra={"rude": _Rude()})

    assert handler.dropped == 1
    (document,) = documents(clients[0])
    assert (document["msg"], document["rude"]) == ("fine", "<_Rude>")


def test_a_full_queue_drops_and_counts_without_waiting(clients: list[FakeClient]) -> None:
    handler = KafkaHandler(SERVERS, "orders", queue_records_max=2)
    logger = logger_of("a", handler)

    for _ in range(5):
        logger.error("x")

    assert handler.dropped == 3
    assert handler.counts() == Counts(delivered=0, waiting=2, lost=3)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("librdkafka", False),
        ("confluent_kafka.admin", False),
        ("sink.producer", False),
        ("librdkafka_of_mine", True),
        ("com.example.librdkafka", True),
    ],
)
def test_what_the_kafka_client_logs_is_not_sent(
    clients: list[FakeClient], handler: KafkaHandler, name: str, sent: bool
) -> None:
    logger_of(name, handler).error("x")

    assert len(clients[0].records) == sent
    assert handler.dropped == 0


def test_it_cannot_feed_itself(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    """A client that logs each of its records would otherwise never end."""
    library = logger_of("librdkafka", handler)
    clients[0].when_produced = lambda: library.error("produced")

    logger.info("x")

    assert [document["msg"] for document in documents(clients[0])] == ["x"]


def test_further_loggers_can_be_left_out(clients: list[FakeClient]) -> None:
    handler = KafkaHandler(SERVERS, "orders", ignore=("aiokafka",))
    handler.handle(logging.makeLogRecord({"name": "aiokafka.producer", "msg": "x"}))

    assert clients[0].records == []


def test_an_object_that_logs_when_it_dies_within_a_call_does_no_harm(
    clients: list[FakeClient], logger: logging.Logger
) -> None:
    class Dying:
        def __del__(self) -> None:
            logger.info("dying")

    class Formatted:
        def __str__(self) -> str:
            Dying()
            return "formatted"

    logger.info("%s", Formatted())

    assert sorted(document["msg"] for document in documents(clients[0])) == ["dying", "formatted"]


def test_records_after_the_close_are_counted_and_nothing_is_raised(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    handler.set_name("kafka")
    handler.close()
    logger.info("late")

    assert handler.dropped == 1
    assert "kafka" not in vars(logging)["_handlers"], "the module has not forgotten it"


def test_flush_and_close_send_what_is_in_memory(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    logger.info("x")
    handler.flush()
    assert handler.counts() == Counts(delivered=1, waiting=0, lost=0)

    logger.info("y")
    handler.close()
    assert handler.counts() == Counts(delivered=2, waiting=0, lost=0)


def test_it_can_be_configured_by_a_dictionary(clients: list[FakeClient]) -> None:
    config = logging.config.DictConfigurator(
        {
            "version": 1,
            "handlers": {
                "kafka": {
                    "class": "sink.appender.KafkaHandler",
                    "level": "WARNING",
                    "bootstrap_servers": SERVERS,
                    "topic": "orders",
                    "prefix": "sag-",
                    "fields": {"appname": "shop"},
                    "queue_records_max": 5,
                    "client": {"linger.ms": 7},
                }
            },
        }
    )
    handler = config.configure_handler(config.config["handlers"]["kafka"])
    handler.handle(logging.makeLogRecord({"levelno": logging.WARNING, "msg": "x"}))

    ((topic, _),) = clients[0].records
    assert topic == "sag-orders"
    assert clients[0].properties["linger.ms"] == 7
    assert handler.level == logging.WARNING


def test_a_loss_is_counted_while_nobody_logs(
    clients: list[FakeClient], handler: KafkaHandler, logger: logging.Logger
) -> None:
    logger.info("x")
    clients[0].fail(-192)  # _MSG_TIMED_OUT

    wait_until(lambda: handler.dropped == 1, 20, "the loss to be counted")
