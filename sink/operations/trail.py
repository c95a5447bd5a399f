"""
What was done by which command: two records of each operation in the dead-letter topic.

There, because it is as durable as the letters themselves, needs no topic and no permission more,
and is read by whoever looks at the letters. They have the envelope of a dead letter, of stage
`operation` and of no other topic than the dead-letter topic itself: no reader takes one for a
document's.
"""

import getpass
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import orjson

from sink import __version__
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import Envelope, Original

STAGE = "operation"
BEGAN = "began"


class LetterWriter(Protocol):
    """
    Where letters are written: returns once all are acknowledged, else raises Unavailable.
    """

    def write(self, letters: list[DeadLetter]) -> None: ...  # noqa: D102


class Entry(NamedTuple):
    """
    What one record of the trail says.

    Args:
        run: Tells which `began` and which end are of one operation.
        event: `began`, then `done`, `interrupted` or `failed`. Without an end it was killed, or
            runs still.
        at: ISO-8601, UTC, with milliseconds: in this order they are listed.
        by: user@host.
        result: fate → documents; empty where it began.
    """

    run: str
    event: str
    at: str
    by: str
    command: str
    arguments: Mapping[str, object]
    result: Mapping[str, int]
    version: str


class Trail:
    """
    Writes down that an operation begins, before it does anything, and how it ended.

    A context manager.

    Args:
        topic: The dead-letter topic.
        arguments: What the command was given.
        result: fate → documents; read at the end.
    Raises:
        Unavailable: It cannot be written down. Nothing was done then.
    """

    def __init__(
        self,
        letters: LetterWriter,
        topic: str,
        command: str,
        *,
        arguments: Mapping[str, object],
        result: Mapping[str, int],
    ) -> None:
        self._letters = letters
        self._topic = topic
        self._command = command
        self._arguments = {k: v for k, v in arguments.items() if v is not None and v != ()}
        self._result = result
        self._run = secrets.token_hex(4)

    def __enter__(self) -> Self:
        self._write(BEGAN, {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        failed = "interrupted" if kind is KeyboardInterrupt else "failed"
        self._write("done" if kind is None else failed, self._result)

    def _write(self, event: str, result: Mapping[str, int]) -> None:
        now = datetime.now(UTC)
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = Entry(
            self._run, event, at, who(), self._command, self._arguments, dict(result), __version__
        )
        value = orjson.dumps(entry._asdict(), default=str)
        time_ms = round(now.timestamp() * 1000)
        record = Original(self._topic, -1, -1, 0, time_ms, None, value, [])
        self._letters.write([DeadLetter(record, STAGE, f"{self._command} {event}", f"by {who()}")])


def entry_of(envelope: Envelope) -> Entry:
    """
    Read a record of the trail. What a newer version wrote besides is left out.
    """
    try:
        told = orjson.loads(envelope.record.value() or b"{}")
        return Entry(**{name: told[name] for name in Entry._fields})
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Entry("", envelope.error_type, "", "", "unreadable", {}, {}, "")


def who() -> str:
    """
    Tell who runs the command: user@host.
    """
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user often has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
