"""
What `sink replay` and `sink dlq replay` take and print alike.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from sink.cli.tables import on_a_line, print_table, progress

if TYPE_CHECKING:
    from sink.config import Config
    from sink.edge.kafka.admin import Brokers
    from sink.operations.perform import Order, Replay
    from sink.operations.report import Refusals, Report

_PLACES = 3
_FLAGS = {
    "begin": "from",
    "since": "from",
    "end": "to",
    "until": "to",
    "partitions": "partition",
}

GIVE_UP_AFTER = click.option(
    "--give-up-after",
    "give_up_after_s",
    type=click.IntRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for an index that takes nothing, or for Elasticsearch; then its documents "
    "count as refused.",
)


def by_flag(given: Mapping[str, object]) -> dict[str, object]:
    """
    Name what a command was given as its flags are named, for the trail.
    """
    return {_FLAGS.get(name, name): value for name, value in given.items()}


def carry_out(
    replay: "Replay", config: "Config", brokers: "Brokers", order: "Order", *, as_json: bool
) -> None:
    """
    Carry out a replay with a progress bar.
    """
    from sink.operations.perform import perform

    with progress(replay.records, "replaying", as_json=as_json) as bar:
        perform(replay, config, brokers, order, bar.update)


def print_report(report: "Report", groups: tuple[str, ...]) -> None:
    """
    Print the fates, then what was refused and what cannot be replayed, with reasons.

    Args:
        groups: What the groups of a dry run are told apart by.
    """
    if report.planned:
        rows = [(*group, documents) for group, documents in sorted(report.planned.items())]
        print_table((*(name.upper() for name in groups), "WOULD BE SENT"), rows)
        click.echo()
    if report.fates:
        print_table(("FATE", "DOCUMENTS"), sorted(report.fates.items()))
    elif not report.planned:
        click.echo("nothing to be sent")
    if report.refusals:
        click.echo()
        rows = [
            (group.documents, index or "-", error, _places(group), _reason(group))
            for (index, error), group in report.refusals.items()
        ]
        print_table(("REFUSED", "INDEX", "ERROR", "RECORDS", "REASON OF THE FIRST"), rows)
    if report.not_replayable:
        click.echo()
        unfit = [(documents, on_a_line(why)) for why, documents in report.not_replayable.items()]
        print_table(("NOT REPLAYABLE", "WHY"), unfit)
    if not report.complete:
        click.echo("\nnot complete: run the command again, what is there is not indexed twice")


def report_as_json(
    report: "Report", groups: tuple[str, ...], *, dry_run: bool
) -> dict[str, object]:
    """
    Give a report as JSON has it.
    """
    would = [
        {**dict(zip(groups, group, strict=True)), "documents": documents}
        for group, documents in report.planned.items()
    ]
    return {
        "complete": report.complete,
        "dry_run": dry_run,
        "would_be_sent": would,
        "fates": report.fates,
        "refused": [
            _refused_as_json(index, error, group)
            for (index, error), group in report.refusals.items()
        ],
        "not_replayable": [
            {"why": why, "documents": documents} for why, documents in report.not_replayable.items()
        ],
    }


def _refused_as_json(index: str, error: str, group: "Refusals") -> dict[str, object]:
    examples = [{**each.origin._asdict(), "reason": each.reason} for each in group.examples]
    return {
        "index": index or None,
        "error_type": error,
        "documents": group.documents,
        "examples": examples,
    }


def _places(group: "Refusals") -> str:
    shown = [str(each.origin) for each in group.examples[:_PLACES]]
    return " ".join(shown) + (" …" if group.documents > len(shown) else "")


def _reason(group: "Refusals") -> str:
    return on_a_line(group.examples[0].reason)
