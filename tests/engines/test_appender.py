"""
The appender of applications on a real Kafka that is away for a while.
"""

import json
import logging
from collections.abc import Iterator

import pytest

from sink.appender import KafkaHandler
from tests.engines.oracle import read_topic
from tests.engines.producing import create_topics
from tests.engines.running import Setup
from tests.waiting import wait_until

_BOUND = 500


@pytest.fixture
def handler(setup: Setup) -> Iterator[KafkaHandler]:
    create_topics(setup, {"shop": 1})
    handler = KafkaHandler(
        setup.kafka.bootstrap_servers,
        "shop",
        prefix=setup.topic(""),
        queue_records_max=_BOUND,
    )
    yield handler
    handler.close()


def test_an_outage_is_outlived_within_the_bound_and_what_is_lost_is_counted(
    setup: Setup, handler: KafkaHandler, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.Logger("com.example.shop")  # noqa: LOG001 - of the test alone
    logger.addHandler(handler)
    logger.info("before")
    wait_until(lambda: handler.counts().delivered == 1, 20, "the first record")

    setup.kafka.freeze()
    try:
        for n in range(3 * _BOUND):
            logger.info("%d", n)
        during = handler.counts()
    finally:
        setup.kafka.thaw()

    assert during == (1, _BOUND, 2 * _BOUND)
    wait_until(lambda: handler.counts().waiting == 0, 40, "what waited to be delivered")
    handler.close()
    assert handler.counts() == (1 + _BOUND, 0, 2 * _BOUND)
    records = [
        json.loads(record.value() or b"") for record in read_topic(setup, [setup.topic("shop")])
    ]
    assert {record["msg"] for record in records} == {"before", *map(str, range(_BOUND))}
    assert f"{2 * _BOUND} since the start (queue full: {2 * _BOUND})" in capfd.readouterr().err
