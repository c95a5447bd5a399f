"""
The librdkafka properties of each client the sink makes.

Source of every name and default: librdkafka, CONFIGURATION.md.
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from sink.config import KafkaSettings
from sink.edge.logs import LIBRDKAFKA
from sink.errors import ConfigError

log = structlog.get_logger()

Properties = dict[str, Any]  # str, int, float, bool; callbacks and a logger besides

# An outage longer than this makes a synchronous commit fail; without it one waits as long as the
# broker stays frozen (seen: 40 s), and stopping or answering a rebalance with it.
SOCKET_TIMEOUT_MS = 10_000
_LIBRDKAFKA_LOG = logging.getLogger(LIBRDKAFKA)


_COMMITTING: Properties = {
    # The worker commits what is settled; librdkafka must store and commit nothing by itself.
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    # With `earliest`, retention overtaking the group would be invisible: the worker seeks.
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "allow.auto.create.topics": False,
    # That a partition ends behind a marker, where no record will tell, is told in no other way.
    "enable.partition.eof": True,
}


def common(settings: KafkaSettings) -> Properties:
    """
    Give what all clients share: where the brokers are and who we are.
    """
    wanted: Mapping[str, Any] = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.read_sasl_password(),
        "ssl.ca.location": str(settings.ssl_ca_location) if settings.ssl_ca_location else None,
        "socket.timeout.ms": SOCKET_TIMEOUT_MS,
        "reconnect.backoff.max.ms": 4_000,  # Kafka's return is noticed within seconds
        # A new topic is found within 10 s; the default is 5 minutes, and users complain about it.
        "topic.metadata.refresh.interval.ms": 10_000,
        "logger": _LIBRDKAFKA_LOG,
    }
    return {k: v for k, v in wanted.items() if v is not None} | dict(settings.client)


class SaslClient(Protocol):
    """
    Any librdkafka client: its credentials may be replaced while it lives.
    """

    def set_sasl_credentials(self, username: str, password: str, /) -> None: ...  # noqa: D102


class Renewal:
    """
    Gives a client the password again when its file was replaced.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._password = settings.read_sasl_password()

    def renew(self, client: SaslClient) -> None:
        """
        Read the password's file, and hand on what is new in it.
        """
        user = self._settings.sasl_username
        try:
            password = self._settings.read_sasl_password()
        except ConfigError as failure:
            log.warning("secret file unreadable, the old secret is kept", reason=str(failure))
            return
        if user is not None and password is not None and password != self._password:
            self._password = password
            client.set_sasl_credentials(user, password)


def consumer(settings: KafkaSettings, thread: int) -> Properties:
    """
    Give the properties of one worker's consumer.

    Args:
        thread: Number of the worker. A static member's id must be its own, or one member fences
            the other (KIP-345).
    """
    group: Properties = {"group.id": settings.group_id, "client.id": f"ekk-sink-{thread}"}
    if settings.group_instance_id:
        group["group.instance.id"] = f"{settings.group_instance_id}-{thread}"
    if settings.group_protocol == "consumer":
        group["group.protocol"] = "consumer"
    else:
        group["partition.assignment.strategy"] = "cooperative-sticky"
    return _shares(settings) | common(settings) | _COMMITTING | _fetching(settings) | group


def bounded_reader(settings: KafkaSettings) -> Properties:
    """
    Give the properties of a reader that belongs to no group: it is assigned, and never commits.

    librdkafka wants a group.id all the same.
    """
    return (
        _shares(settings)
        | common(settings)
        | _COMMITTING
        | _fetching(settings)
        | {
            "group.id": f"{settings.group_id}-reader",
            "client.id": "ekk-sink-reader",
        }
    )


def committed_reader(settings: KafkaSettings, group: str) -> Properties:
    """
    Give the properties of a client that asks what a group has committed, and never joins it.
    """
    return common(settings) | _COMMITTING | {"group.id": group, "client.id": "ekk-sink-offsets"}


def _shares(settings: KafkaSettings) -> Properties:
    """
    Give what one partition may take of an answer, where kafka.client does not say it.

    The default of 1 MiB is a quarter of the answer: four partitions with a backlog then left
    nothing to a fifth while the backlog lasted (seen on 2.16). A larger record comes all the same.
    """
    return {"max.partition.fetch.bytes": settings.fetch_bytes_max // 16}


def _fetching(settings: KafkaSettings) -> Properties:
    return {
        "queued.max.messages.kbytes": settings.queued_kbytes,
        "fetch.max.bytes": settings.fetch_bytes_max,
        # The bound in bytes counts values only. A record takes 0.5 KB beside its value, and its
        # headers come on top. Like that bound it is of the whole queue, of all partitions.
        "queued.min.messages": settings.queued_kbytes,
        # The default of 1 s makes a reader that empties its queue faster stand still.
        "fetch.queue.backoff.ms": 10,
        # Every fetch lists every partition: idle with 1,000 topics, 100 ms took 3.8 % of a core,
        # 500 ms 1.6 %, of which two fifths were fetching. Records that come are answered at once; a
        # partition that was assigned just now, and the end of one, may wait so long.
        "fetch.wait.max.ms": 1_000,
    }


def producer(
    settings: KafkaSettings, delivery_timeout_ms: int, message_bytes_max: int
) -> Properties:
    """
    Give the properties of the dead-letter producer.
    """
    return common(settings) | {
        "client.id": "ekk-sink-dead-letters",
        "enable.idempotence": True,
        "acks": "all",
        # Else a producer makes a topic anew that somebody deleted, with the brokers' retention.
        "allow.auto.create.topics": False,
        "delivery.timeout.ms": delivery_timeout_ms,
        # The broker judges each message: the topic's limit may be changed while we run. It judges
        # a batch as a whole too, so that one must not be larger than what the topic takes.
        "message.max.bytes": 1_000_000_000,
        "batch.size": min(max(message_bytes_max, 1), 1_000_000),
        # The default of 1 GB would stand outside every bound the sink promises.
        "queue.buffering.max.kbytes": PRODUCER_KBYTES,
        "linger.ms": 5,
        # The broker's limit is of the compressed batch: a record that fitted compressed fits again.
        "compression.type": "zstd",
    }


PRODUCER_KBYTES = 16_384
