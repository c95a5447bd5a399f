"""
The same service with structlog: events go to Kafka and, rendered, to the terminal.
"""

import os
import socket

import structlog

from sink.appender import KafkaProcessor

KAFKA = KafkaProcessor(
    os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
    "orders-structlog",
    prefix=os.environ.get("LOG_PREFIX", "ekk-"),
    fields={"appname": "orders", "instanceid": socket.gethostname()},
)

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        KAFKA,  # before what renders, behind what adds fields
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ],
    cache_logger_on_first_use=True,
)

log = structlog.get_logger(logger_name="com.example.orders")


def ship() -> None:
    """
    Log what a service logs: events with fields, an exception.
    """
    log.info("order shipped", order=42, weight_kg=1.5)
    log.warning("库存不足", item="茶杯")
    try:
        socket.create_connection(("127.0.0.1", 1), timeout=1)
    except OSError:
        log.exception("order failed", order=43)


if __name__ == "__main__":
    ship()
