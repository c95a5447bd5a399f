"""
Sends an application's logs to the sink: a handler for logging, a processor for structlog.

    logging.getLogger().addHandler(KafkaHandler("kafka:9092", "orders", fields={"appname": "shop"}))

Each line becomes a record with the fields of the EKK appender: logtime (UTC epoch ms), level,
threadname, loggername, msg (with the traceback), and whatever fields the application adds. Nothing
here waits for Kafka or raises into the application; see `sink.producer` for the bounds.
"""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from sink.producer import Counts, Producer

# Of the Kafka clients for Python, and ours: what they say while they send must not be sent.
CLIENT_LOGGERS = ("librdkafka", "confluent_kafka", "sink.producer", "sink.appender")

# What every record has; all else was given by `extra` or put there by a filter.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class KafkaHandler(logging.Handler):
    """
    Sends log records to a topic, as the EKK appender for Logback does.

    A formatter that is set makes `msg`; without one it is the message and the traceback.

    Args:
        bootstrap_servers: Brokers to ask first, host:port, separated by commas.
        topic: User topic; `prefix` of the producer (`ekk-`) is put before it.
        fields: Added to every record, such as appname and instanceid. `extra` of a call wins over
            them, and the fields of the EKK appender over both.
        ignore: Loggers that are not sent, with those below them: see CLIENT_LOGGERS.
        level: As of every handler.
        producer: Further arguments of `sink.producer.Producer`.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        *,
        fields: Mapping[str, Any] | None = None,
        ignore: Sequence[str] = CLIENT_LOGGERS,
        level: int | str = logging.NOTSET,
        **producer: Any,
    ) -> None:
        self._flush_timeout_s: float = producer.get("close_timeout_s", 5.0)
        # logging closes its handlers at exit, after all that may still log has run.
        self._producer = Producer(bootstrap_servers, **({"close_at_exit": False} | producer))
        super().__init__(level)
        self._topic = topic
        self._fields = dict(fields or {})
        self._ignored = tuple(ignore)
        self._ignored_below = tuple(f"{name}." for name in ignore)

    @property
    def dropped(self) -> int:
        """
        Tell how many records of this process are lost. Each minute's are on standard error too.
        """
        return self._producer.losses.total

    def counts(self) -> Counts:
        """
        Tell what became of the records of this process.
        """
        return self._producer.counts()

    def emit(self, record: logging.LogRecord) -> None:
        """
        Send a record. What cannot be formatted is sent unformatted.
        """
        try:
            name = str(record.name)
            if name in self._ignored or name.startswith(self._ignored_below):
                return
            document = self._fields | _added(record) | self._ekk(record)
        except Exception as failure:  # nothing may reach the application
            self._producer.losses.add(type(failure).__name__)
        else:
            self._producer.send(self._topic, document)

    def flush(self) -> None:
        """
        Wait until Kafka has what is in memory, as long as `close_timeout_s` at most.
        """
        self._producer.flush(self._flush_timeout_s)

    def close(self) -> None:
        """
        Send what is in memory, as long as `close_timeout_s` at most. Later records are lost.
        """
        self._producer.close()
        super().close()

    def _ekk(self, record: logging.LogRecord) -> dict[str, Any]:
        return {
            "logtime": int(record.created * 1000),
            "level": record.levelname,
            "threadname": record.threadName,
            "loggername": record.name,
            "msg": self._message(record),
        }

    def _message(self, record: logging.LogRecord) -> str:
        """
        Format a record; one whose arguments do not fit its message is worth sending all the same.
        """
        try:
            return self.format(record)
        except Exception as failure:
            return f"{record.msg!r} {record.args!r} ({type(failure).__name__}: {failure})"


def _added(record: logging.LogRecord) -> dict[str, Any]:
    return _public({name: value for name, value in vars(record).items() if name not in _STANDARD})


def _public(fields: Mapping[str, Any]) -> dict[str, Any]:
    """
    Leave out what libraries keep for themselves, such as structlog's `_record`.

    Elasticsearch refuses documents with some of these names: `_id`, `_source`.
    """
    return {name: value for name, value in fields.items() if not str(name).startswith("_")}


class KafkaProcessor:
    """
    A processor for structlog that sends each event and hands it on unchanged.

    It belongs before the renderer, behind what adds fields. `event` becomes `msg`; `logger` or
    `logger_name`, `level` and `thread_name` of the event are taken where processors added them.

    Args:
        bootstrap_servers: Brokers to ask first, host:port, separated by commas.
        topic: User topic; `prefix` of the producer (`ekk-`) is put before it.
        fields: Added to every event that has no such field.
        producer: Further arguments of `sink.producer.Producer`.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        *,
        fields: Mapping[str, Any] | None = None,
        **producer: Any,
    ) -> None:
        self._producer = Producer(bootstrap_servers, **producer)
        self._topic = topic
        self._fields = dict(fields or {})

    @property
    def dropped(self) -> int:
        """
        Tell how many events of this process are lost. Each minute's are on standard error too.
        """
        return self._producer.losses.total

    def counts(self) -> Counts:
        """
        Tell what became of the events of this process.
        """
        return self._producer.counts()

    def close(self) -> None:
        """
        Send what is in memory, as long as `close_timeout_s` at most. Later events are lost.
        """
        self._producer.close()

    def __call__(
        self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """
        Send an event. structlog calls it.
        """
        try:
            document = self._fields | _event(logger, method_name, event_dict)
        except Exception as failure:  # nothing may reach the application
            self._producer.losses.add(type(failure).__name__)
        else:
            self._producer.send(self._topic, document)
        return event_dict


# structlog's names of methods that are not those of a level.
_LEVELS = {"exception": "error", "warn": "warning", "fatal": "critical", "msg": "info"}


def _event(logger: Any, method: str, event_dict: Mapping[str, Any]) -> dict[str, Any]:
    """
    Make the fields of the EKK appender of an event of structlog.
    """
    added = _public(event_dict)
    name = added.pop("logger", None) or added.pop("logger_name", None)
    parts = [added.pop("event", ""), added.pop("exception", None), added.pop("stack", None)]
    parts.append(_traceback(added.pop("exc_info", None)))
    level = added.pop("level", None) or _LEVELS.get(method, method)
    thread = added.pop("thread_name", None) or threading.current_thread().name
    return added | {
        "logtime": time.time_ns() // 1_000_000,
        "level": str(level).upper(),
        "threadname": thread,
        "loggername": name or getattr(logger, "name", None) or "root",
        "msg": "\n".join(str(part) for part in parts if part not in (None, "")),
    }


def _traceback(exc_info: Any) -> str | None:
    """
    Write the traceback of what structlog knows as exc_info: true, an exception or a triple.
    """
    if isinstance(exc_info, BaseException):
        error: BaseException | None = exc_info
    elif isinstance(exc_info, tuple):
        error = exc_info[1]
    else:
        error = sys.exception() if exc_info else None
    return "".join(traceback.format_exception(error)).rstrip() if error else None
