"""
A service that logs with the standard library to its terminal and to Kafka.

KAFKA_BOOTSTRAP_SERVERS (127.0.0.1:9092) and LOG_PREFIX (ekk-) say where to. It needs
confluent-kafka and this project's `sink.appender`, not the daemon's dependencies.
"""

import logging
import logging.config
import os
import socket

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "kafka": {
            "class": "sink.appender.KafkaHandler",
            "bootstrap_servers": os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            "topic": "orders-python",
            "prefix": os.environ.get("LOG_PREFIX", "ekk-"),
            "fields": {"appname": "orders", "instanceid": socket.gethostname()},
        },
    },
    "root": {"level": "INFO", "handlers": ["console", "kafka"]},
}

log = logging.getLogger("com.example.orders")


def ship() -> None:
    """
    Log what a service logs: values in the text, fields beside it, an exception.
    """
    log.info("order %d shipped", 42, extra={"order": 42, "weight_kg": 1.5})
    log.warning("库存不足", extra={"item": "茶杯"})
    try:
        socket.create_connection(("127.0.0.1", 1), timeout=1)
    except OSError:
        log.exception("order %d failed", 43, extra={"order": 43})


if __name__ == "__main__":
    logging.config.dictConfig(LOGGING)
    ship()
    # Nothing more: logging sends what is in memory when the interpreter ends.
