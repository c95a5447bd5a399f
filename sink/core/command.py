"""
An operator's decision about parked documents: a record in the parked topic that the sinks obey.

It stands in the topic behind the documents it is about, in every partition: so each sink of the
group learns of it, whichever partitions it has, and again after a restart.
"""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from sink.core.dead_letter import PREFIX
from sink.core.envelope import ORIGIN, Envelope
from sink.core.record import Headers, Record, headers_of

_COMMAND = PREFIX + "command"
_INDEX = PREFIX + "command_index"
_TOPIC = PREFIX + "command_topic"
_BY = PREFIX + "command_by"


class Command(StrEnum):
    """
    What is to become of parked documents.
    """

    RELEASE = "release"  # try them now, whatever their index said last
    TO_DLQ = "to-dlq"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    A command, and the documents it is about.

    Args:
        index: A pattern of indices, as a shell has it.
        topic: A pattern of the topics their records came from.
        by: Who gave it and when, for whoever asks later.
        before: Offset of the command in its partition: it is about documents before it.
    """

    command: Command
    index: str = "*"
    topic: str = "*"
    by: str = ""
    before: int = 0

    def headers(self) -> Headers:
        """
        Give the headers of the record that tells it.
        """
        told = {_COMMAND: self.command, _INDEX: self.index, _TOPIC: self.topic, _BY: self.by}
        return [(name, value.encode()) for name, value in told.items()]

    def is_about(self, envelope: Envelope) -> bool:
        """
        Tell whether a parked document is meant.
        """
        topic = envelope.record.topic() or ""
        return fnmatchcase(envelope.index or "", self.index) and fnmatchcase(topic, self.topic)


def decision_of(record: Record) -> Decision | None:
    """
    Read a decision; None where the record is none, or of a later version of the sink.
    """
    if not is_command(record):
        return None
    told = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value or ""
        for name, value in headers_of(record)
    }
    command = told.get(_COMMAND)
    if command not in tuple(Command):
        return None
    index, topic, by = told.get(_INDEX, "*"), told.get(_TOPIC, "*"), told.get(_BY, "")
    return Decision(Command(command), index, topic, by, record.offset() or 0)


def is_command(record: Record) -> bool:
    """
    Tell whether a record of the parked topic is a command rather than a document.
    """
    names = {name for name, _ in headers_of(record)}
    # A parked document has the headers of its own record too: a producer gives no commands.
    return _COMMAND in names and ORIGIN not in names
