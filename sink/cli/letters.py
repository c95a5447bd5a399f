"""
How `sink dlq` tells of dead letters.
"""

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sink.cli.tables import on_a_line, print_table
from sink.core.record import headers_of

if TYPE_CHECKING:
    from sink.operations.dead_letters import Letter, Listing
    from sink.operations.trail import Entry

_OF_A_GROUP = ("ERROR", "INDEX", "TOPIC", "DOCUMENTS", "FIRST SEEN", "LAST SEEN", "NEWEST")
_OF_AN_OPERATION = ("AT", "RUN", "BY", "EVENT", "COMMAND", "DOCUMENTS")


def print_listing(listing: "Listing", topic: str) -> None:
    """
    Print the groups, the largest first, and the last operations.
    """
    groups = listing.by_size()
    if groups:
        rows = [
            (
                each.error_type,
                each.index or "-",
                each.topic,
                each.documents,
                _time(each.first_ms),
                _time(each.last_ms),
                each.newest,
            )
            for each in groups
        ]
        print_table(_OF_A_GROUP, rows)
        click.echo(f"\none of them: sink dlq show {groups[0].newest}")
    else:
        click.echo(f"no such dead letters in {topic}")
    if listing.operations:
        click.echo()
        done = [
            (each.at, each.run, each.by, each.event, _command(each), _result(each))
            for each in listing.operations
        ]
        print_table(_OF_AN_OPERATION, done)
    if listing.foreign:
        click.echo(f"\n{listing.foreign} records of {topic} are no dead letters of the sink")


def listing_as_json(listing: "Listing") -> dict[str, object]:
    """
    Give a listing as JSON has it.
    """
    return {
        "groups": [
            {
                "error_type": each.error_type,
                "index": each.index,
                "topic": each.topic,
                "documents": each.documents,
                "first_seen": _time(each.first_ms),
                "last_seen": _time(each.last_ms),
                "newest": str(each.newest),
            }
            for each in listing.by_size()
        ],
        "operations": [each._asdict() for each in listing.operations],
        "foreign": listing.foreign,
    }


def decoded(letter: "Letter") -> dict[str, Any]:
    """
    Give a dead letter as JSON has it. What is not UTF-8 is in base64, under a name that says so.
    """
    envelope = letter.envelope
    record = envelope.record
    return {
        "place": str(letter.place),
        "seen": _time(letter.seen_ms),
        **letter.origin._asdict(),
        "leader_epoch": record.leader_epoch(),
        "timestamp": _time(record.timestamp()[1]),
        "topic_id": envelope.topic_id,
        "index": envelope.index,
        "id": envelope.id,
        "stage": envelope.stage,
        "error_type": envelope.error_type,
        "reason": envelope.reason,
        "attempts": envelope.attempts,
        "documents": envelope.documents,
        "positions": envelope.positions,
        "truncated": envelope.truncated,
        "headers": [{"name": name, **_bytes("value", v)} for name, v in headers_of(record)],
        **_bytes("key", record.key()),
        **_bytes("value", record.value()),
    }


def print_letter(letter: "Letter") -> None:
    """
    Print a dead letter, a line for each fact, and its value as it is at the end.
    """
    facts = decoded(letter)
    value = next(name for name in ("value", "value_base64") if name in facts)
    headers = facts.pop("headers")
    text = facts.pop(value)
    width = max(map(len, facts))
    for name, fact in facts.items():
        said = "-" if fact is None else on_a_line(str(fact), 10_000)
        click.echo(f"{name:{width}}  {said}")
    for header in headers:
        name, *told = header.values()
        click.echo(f"{'header':{width}}  {on_a_line(name)}: {on_a_line(str(told[0]), 10_000)}")
    click.echo(f"{value}:\n{'-' if text is None else _printable(text)}\n")


def _bytes(name: str, value: bytes | str | None) -> dict[str, str | None]:
    if not isinstance(value, bytes):
        return {name: value}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}


def _printable(text: str) -> str:
    """
    Keep a terminal from obeying a log record: what is neither printable nor a line break is shown.
    """
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def _time(ms: int) -> str | None:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z" if ms >= 0 else None
    except (OverflowError, ValueError, OSError):
        return str(ms)


def _command(entry: "Entry") -> str:
    given = [f"{name}={on_a_line(str(value), 60)}" for name, value in entry.arguments.items()]
    return " ".join([entry.command, *given])


def _result(entry: "Entry") -> str:
    fates = sorted(entry.result.items())
    return ", ".join(f"{documents} {fate}" for fate, documents in fates) or "-"
