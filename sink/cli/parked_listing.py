"""
How `sink parked` tells of parked documents.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sink.cli.tables import on_a_line, print_table

if TYPE_CHECKING:
    from sink.config import Config
    from sink.core.lane import ParkedIndex
    from sink.operations.parked import Listing
    from sink.operations.parked_decision import Effect

_HEAD = ("INDEX", "TOPIC", "ERROR", "DOCUMENTS", "DECIDED", "BYTES", "OLDEST", "REASON")
_IN_MEMORY = ("IN MEMORY", "ERROR", "DOCUMENTS", "BYTES", "SINCE", "STATE", "REASON")


def print_listing(found: "Listing", topic: str, *, there: bool) -> None:
    """
    Print the groups, the largest first, and what was decided about them.
    """
    if not there:
        click.echo(f"nothing was ever parked: there is no topic {topic}")
    elif not found.groups:
        click.echo(f"no such documents wait in {topic}")
    else:
        rows = [
            (
                key.index or "-",
                key.topic,
                key.error_type,
                group.documents,
                group.decided.total(),
                group.size_bytes,
                _time(group.oldest_ms / 1000),
                on_a_line(group.newest.reason, 100),
            )
            for key, group in found.by_size()
        ]
        print_table(_HEAD, rows)
    for each in found.decisions:
        patterns = on_a_line(f"index {each.index}, topic {each.topic}")
        click.echo(f"decided: {each.command}, {patterns}, by {on_a_line(each.by)}")
    if found.foreign:
        click.echo(f"{found.foreign} records of {topic} are nothing of the sink's")


def print_effect(effect: "Effect", config: "Config") -> None:
    """
    Tell in sentences what followed.
    """
    group = config.kafka.group_id
    told = [f"{effect.decision.command} is given for {effect.documents} documents."]
    if not effect.members:
        told.append(f"No sink of group {group} runs: the next that starts obeys.")
    elif not effect.awaited:
        told.append(f"The sinks of group {group} obey within seconds.")
    elif effect.ok:
        told.append("It took effect: none of them waits any more.")
    else:
        told.append(f"Not done yet: {effect.waiting} of them.")
    if effect.awaited and effect.behind:
        told.append(
            f"{effect.behind} stand behind documents that are not meant and wait: no offset tells "
            "of them before those are through, or are decided about as well."
        )
    click.echo(" ".join(told))


def listing_as_json(found: "Listing") -> dict[str, object]:
    """
    Give a listing as JSON has it.
    """
    return {
        "groups": [
            {
                **asdict(key),
                "documents": group.documents,
                "decided": group.decided.total(),
                "size_bytes": group.size_bytes,
                "oldest": _time(group.oldest_ms / 1000),
                "reason": group.newest.reason,
            }
            for key, group in found.by_size()
        ],
        "decisions": [
            {name: getattr(each, name) for name in ("command", "index", "topic", "by")}
            for each in found.decisions
        ],
        "foreign": found.foreign,
    }


def effect_as_json(effect: "Effect | None") -> dict[str, object] | None:
    """
    Give what followed as JSON has it; null where nothing was done.
    """
    if effect is None:
        return None
    facts = ("members", "documents", "waiting", "behind", "awaited", "ok")
    by = {"command": effect.decision.command, "by": effect.decision.by}
    return by | {name: getattr(effect, name) for name in facts}


def memory_as_json(memory: "Sequence[ParkedIndex] | None") -> list[dict[str, object]] | None:
    """
    Give what waits in memory as JSON has it; null where it is not known.
    """
    if memory is None:
        return None
    return [asdict(each) | {"since": _time(each.since_s)} for each in memory]


def print_memory(memory: "Sequence[ParkedIndex]") -> None:
    """
    Print what waits in memory, below the groups.
    """
    if memory:
        click.echo()
        print_table(_IN_MEMORY, [_row(each) for each in memory])


def _row(each: "ParkedIndex") -> tuple[object, ...]:
    takes = "refuses all" if each.blocks else "refuses these"
    state = f"{takes}, to the parked topic" if each.spills else takes
    since, reason = _time(each.since_s), on_a_line(each.reason, 100)
    return each.index, each.error_type, each.documents, each.size_bytes, since, state, reason


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}Z"
