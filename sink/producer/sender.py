"""
The producer: librdkafka's queue is the bound, a thread of ours looks at what became of it.

Source of the properties: librdkafka, CONFIGURATION.md.
"""

import atexit
import ctypes
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from weakref import WeakSet

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from sink.producer.losses import Losses
from sink.producer.values import encode

_POLL_S = 0.1  # deliveries are looked at so often
_PURGE_S = 1.0  # what is thrown away is reported within milliseconds
_PURGED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # noqa: SLF001 - its names

# Whoever set one of these would break a bound or the counts.
_OWNED = frozenset(
    (
        "bootstrap.servers",
        "delivery.timeout.ms",
        "error_cb",
        "logger",  # what the client logs could be sent, and make it log
        "message.timeout.ms",
        "metadata.broker.list",
        "on_delivery",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
    )
)


class Counts(NamedTuple):
    """
    What became of the records of this process so far.
    """

    delivered: int  # acknowledged by Kafka
    waiting: int  # in memory
    lost: int  # refused or not delivered, for whatever reason


class Producer:
    """
    Sends records to the topics that a sink reads. Threads may share it; a fork may inherit it.

    Args:
        bootstrap_servers: Brokers to ask first, host:port, separated by commas.
        prefix: Stands before every user topic, as in the sink's route.
        queue_records_max: Records in memory that Kafka has not acknowledged.
        queue_kbytes_max: Their size in KiB.
        delivery_timeout_ms: A record that Kafka does not take within this time is lost.
        close_timeout_s: Longest wait of `close` for what is in memory.
        close_at_exit: False where somebody else closes it when the interpreter ends.
        client: Further properties of librdkafka, such as `security.protocol`.
    Raises:
        ValueError: `client` has a property that an argument sets.
        confluent_kafka.KafkaException: librdkafka refuses a property.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        prefix: str = "ekk-",
        queue_records_max: int = 10_000,
        queue_kbytes_max: int = 16_384,
        delivery_timeout_ms: int = 120_000,
        close_timeout_s: float = 5.0,
        close_at_exit: bool = True,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        given = dict(client or {})
        if owned := sorted(_OWNED & given.keys()):
            raise ValueError(f"client: {', '.join(owned)}: arguments of their own set these")
        self._prefix = prefix
        self._close_timeout_s = close_timeout_s
        self._closed = False
        self._properties = {
            # The line about losses tells the last complaint; librdkafka tells each attempt's.
            "log_level": 0,
            "linger.ms": 50,
            "compression.type": "zstd",
            **given,
            "bootstrap.servers": bootstrap_servers,
            "queue.buffering.max.messages": queue_records_max,
            "queue.buffering.max.kbytes": queue_kbytes_max,
            "message.timeout.ms": delivery_timeout_ms,
            "on_delivery": self._reported,
            "error_cb": self._complained,
        }
        self._start_anew()
        self._connect()
        _PRODUCERS.add(self)
        if close_at_exit:
            atexit.register(self.close)

    def _start_anew(self) -> None:
        """
        Set up what each process has for itself.
        """
        self._lock = threading.RLock()  # reentrant, as that of Losses; guards client and counts
        self.losses = Losses()
        self._client: Client | None = None
        self._waiting = 0
        self._delivered = 0
        self._complaint = ""
        self._ending = threading.Event()

    def send(self, topic: str, value: bytes | str | Mapping[str, Any]) -> bool:
        """
        Hand a record over, without waiting and without raising: 1.5 µs, and the JSON of a mapping.

        Args:
            topic: User topic; the prefix is added.
            value: Taken as it is, a mapping as a JSON object.
        Returns:
            Whether it was taken. If not, it is counted as lost.
        """
        try:
            refusal = self._hand_over(self._prefix + topic, encode(value))
        except Exception as failure:  # nothing may reach the application
            refusal = type(failure).__name__
        if refusal:
            self.losses.add(refusal)
        return not refusal

    def _hand_over(self, topic: str, value: bytes) -> str | None:
        """
        Produce a record, or tell why not.
        """
        client = self._client
        if client is None and (client := self._connect()) is None:
            return "closed"
        for _ in range(2):
            try:
                client.produce(topic, value)
            except BufferError:
                client.poll(0)  # what is delivered makes room when it was looked at
            except KafkaException as failure:
                error = failure.args[0]
                return error.name() if isinstance(error, KafkaError) else str(error)
            else:
                self._count(waiting=1)
                return None
        return "queue full"

    def counts(self) -> Counts:
        """
        Tell what became of the records of this process. What Kafka took is known 0.1 s later.
        """
        with self._lock:
            return Counts(self._delivered, self._waiting, self.losses.total)

    def flush(self, timeout_s: float) -> int:
        """
        Wait until Kafka has acknowledged what is in memory.

        Returns:
            How many records still wait.
        """
        if (client := self._client) is not None:
            client.flush(timeout_s)
        return self._waiting

    def close(self) -> None:
        """
        Send what is in memory, within the bound; what is left is lost. May be called again.
        """
        with self._lock:
            client, self._client, self._closed = self._client, None, True
        self._ending.set()
        if client is not None:
            if client.flush(self._close_timeout_s):
                client.purge()
                client.flush(_PURGE_S)
            self.losses.say(self._complaint, last=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> Client | None:
        """
        Make a client and the thread that looks at its deliveries, unless there is one.
        """
        with self._lock:
            if self._client is None and not self._closed:
                self._client = Client(dict(self._properties))
                threading.Thread(
                    target=self._look, args=(self._ending,), name="sink.producer", daemon=True
                ).start()
                _close_with_the_worker(self)
            return self._client

    def _look(self, ending: threading.Event) -> None:
        """
        Serve the client's callbacks, and tell of losses, until it is closed.

        A wait of Python's and a poll that does not wait: with gevent's or eventlet's threads, a
        wait inside the client would stop the whole process.
        """
        while not ending.wait(_POLL_S):
            if (client := self._client) is not None:
                client.poll(0)
            self.losses.say(self._complaint)

    def _reported(self, error: KafkaError | None, _: object) -> None:
        """
        Take the client's report on a record, on whatever thread polls.
        """
        self._count(waiting=-1, delivered=error is None)
        if error is not None:
            self.losses.add("closed before delivery" if error.code() in _PURGED else error.name())

    def _count(self, *, waiting: int, delivered: int = 0) -> None:
        with self._lock:
            self._waiting += waiting
            self._delivered += delivered

    def _complained(self, error: KafkaError) -> None:
        self._complaint = error.str()

    def _forked(self) -> None:
        """
        Leave the parent's client to the parent: in this process its threads do not exist.
        """
        if self._client is not None:
            # Never to be freed here: its locks may have been held at the fork by threads of the
            # parent, which do not exist here to give them back.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._client))
        self._start_anew()


def _close_with_the_worker(producer: Producer) -> None:
    """
    Have a producer closed at the end of a process of multiprocessing: those skip atexit.
    """
    multiprocessing: Any = sys.modules.get("multiprocessing")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        multiprocessing.util.Finalize(None, producer.close, exitpriority=-100)


def _forked() -> None:
    for producer in list(_PRODUCERS):
        producer._forked()  # noqa: SLF001


_PRODUCERS: WeakSet[Producer] = WeakSet()
os.register_at_fork(after_in_child=_forked)
