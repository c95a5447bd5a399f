"""
Messages of the dead-letter topic and the parked topic, with any headers, read as the sink does.

An input: `<learn the commands first> <docs_max>`, then the messages, each behind a separator:
`name: value` lines (no colon: no value), an empty line, the value.
"""

from collections.abc import Sequence

from fuzz.broken import must
from fuzz.carrying import carry
from fuzz.inputs import SEPARATOR, Words, fields
from fuzz.letters import check_letter
from fuzz.routing import COLLECTORS, WAYS, targets_of
from sink.core.collect import runs
from sink.core.command import decision_of, is_command
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import open_envelope
from sink.core.letters import letters_of_rejected
from sink.core.parked import ParkedTarget
from sink.core.record import Element, Partition, Record
from sink.core.target import Target
from sink.errors import Reject
from sink.testing import FakeRecord

_PARKED = Partition("sink-parked.fuzz", 0)
_TOPIC = "log-order"
_MESSAGES_MAX = 8
_BYTES_MAX = 10**6
_ROUTE = targets_of(WAYS[0], COLLECTORS[0], _TOPIC)[_TOPIC].route  # type: ignore[union-attr]


def one(data: bytes) -> None:
    """
    Hold what must be true of any messages.
    """
    head, *chunks = data.split(SEPARATOR)
    words = Words(head)
    messages = [_message(offset, chunk) for offset, chunk in enumerate(chunks[:_MESSAGES_MAX])]
    for message in messages:
        _check_opened(message)
        _check_written(message)
    if messages:
        _check_carried(messages, words.number(1, 1, 100, 100), learn=bool(words.number(0, 0, 1)))


def _message(offset: int, chunk: bytes) -> Record:
    head, blank, value = chunk.partition(b"\n\n")
    return FakeRecord(
        *_PARKED, offset, value if blank else None, key=value[:3] or None, headers=[*fields(head)]
    )


def _check_opened(message: Record) -> None:
    """
    Hold that a message is a letter, a command or neither, and nothing else happens.
    """
    must(decision_of(message) is None or is_command(message), "a decision that is no command")
    try:
        envelope = open_envelope(message)
    except Reject:
        return
    must(len(envelope.identity) == 16, "an envelope without identity")


def _check_written(message: Record) -> None:
    """
    Hold that a letter can be written of any record, and opened again.
    """
    headers = message.headers() or []
    said = " ".join(name for name, _ in headers)
    check_letter(DeadLetter(message, "collect", "some_error", said))
    element = Element(message, len(headers), b"{}")
    check_letter(
        DeadLetter(
            element,
            "park",
            "some_error",
            "blocked",
            attempts=3,
            index="may",
            id=said,
            positions=(len(headers),),
            topic_id="T",
        )
    )


def _check_carried(messages: Sequence[Record], docs_max: int, *, learn: bool) -> None:
    """
    Hold that each message of the parked topic becomes something, and breaks no bulk.
    """
    parked = ParkedTarget(_target_of)
    if learn:
        parked.begin(_PARKED)
        for run in runs(messages):
            must(
                not [*parked.pieces(run, docs_max)], "documents are made while commands are learned"
            )
        must(parked.learned(_PARKED) == 0, "what was learned is read from another offset")
    carried = carry(messages, {_PARKED.topic: parked}, docs_max, _BYTES_MAX)
    made = len(carried.documents) + len(carried.rejected) + carried.dropped.total()
    must(made >= len(messages), f"{len(messages)} messages became {made}")
    for letter in letters_of_rejected(carried.rejected):
        check_letter(letter)
    parked.news()


def _target_of(topic: str, topic_id: str) -> Target | None:
    return Target(topic, _ROUTE, topic_id) if _ROUTE.matches(topic) else None
