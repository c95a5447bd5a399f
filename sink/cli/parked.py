"""
`sink parked`: list the documents whose index takes none, and decide about them.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sink.cli.options import config_file
from sink.cli.parked_listing import (
    effect_as_json,
    listing_as_json,
    memory_as_json,
    print_effect,
    print_listing,
    print_memory,
)
from sink.cli.tables import json_option, print_json, progress

if TYPE_CHECKING:
    from sink.config import Config
    from sink.core.lane import ParkedIndex
    from sink.edge.kafka.reader import Reader
    from sink.operations.parked import Listing

Made = TypeVar("Made", bound=Callable[..., Any])


def _choice(command: Made) -> Made:
    """
    Add the options that choose documents.
    """
    for name, help_ in (
        ("--topic", "Only documents of records of this topic; a pattern as above."),
        ("--index", "Only documents for this index; a shell pattern: * ? [abc]."),
    ):
        command = click.option(name, metavar="PATTERN", help=help_)(command)
    return command


def _decision(command: Made) -> Made:
    """
    Add the options of a decision.
    """
    options = (
        click.option("--all", "everything", is_flag=True, help="All documents that are parked."),
        click.option("--dry-run", is_flag=True, help="Show what is meant, and do nothing."),
        click.option("--yes", is_flag=True, help="Do it without asking."),
        click.option(
            "--wait",
            "wait_s",
            type=click.IntRange(min=0, max=86_400),
            default=30,
            show_default=True,
            metavar="SECONDS",
            help="Wait so long for the effect; 0 not at all.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return json_option(_choice(command))


@click.group()
@config_file
def parked() -> None:
    """
    List the documents whose index takes none, and decide about them.

    An index that takes no document is asked again and again, and what is parked for it is indexed
    by itself once it takes some. Only those who want something else decide.

    A decision is about what is in the parked topic when it is given. It is written there, and
    obeyed by the sinks of the group, also when they are restarted. What waits in memory still is
    not meant; it goes to the parked topic after park.ms_max.
    """


@parked.command("list")
@config_file
@_choice
@json_option
@click.pass_obj
def list_(path: Path | None, /, *, index: str | None, topic: str | None, as_json: bool) -> None:
    """
    Count what waits in the parked topic by index, topic and error, and in memory by index.

    At most so many: documents behind the first that waits may be indexed already. A document
    counts once, also when a crash parked it twice: for that some 100 bytes of memory are needed
    for each.
    """
    from sink.config import load
    from sink.edge import logs
    from sink.edge.kafka.reader import Reader

    config = load(path)
    logs.configure(config.log)
    with Reader(config.kafka) as reader:
        there = bool(reader.partitions(config.parked_topic))
        found = _found(config, reader, index, topic, as_json=as_json)
    memory = _in_memory(config)
    if as_json:
        told = {"topic": config.parked_topic, **listing_as_json(found)}
        print_json(told | {"memory": memory_as_json(memory)})
    else:
        print_listing(found, config.parked_topic, there=there)
        print_memory(memory or ())


@parked.command()
@config_file
@_decision
@click.pass_context
def release(context: click.Context, /, **given: Any) -> None:
    """
    Try documents now, whatever their index said last. What is refused again waits on.

    Exit code 1: none is meant, or some still wait when the time is over.
    """
    _decide(context, "release", **given)


@parked.command("to-dlq")
@config_file
@_decision
@click.pass_context
def to_dlq(context: click.Context, /, **given: Any) -> None:
    """
    Move documents to the dead-letter topic, from where `sink dlq replay` indexes them.

    Exit code 1: none is meant, or some still wait when the time is over.
    """
    _decide(context, "to-dlq", **given)


@parked.command()
@config_file
@_decision
@click.pass_context
def drop(context: click.Context, /, **given: Any) -> None:
    """
    Give documents up: they are not indexed. Their records stay in the parked topic.

    Exit code 1: none is meant, or some still wait when the time is over.
    """
    _decide(context, "drop", **given)


def somebody_is_there() -> bool:
    """
    Tell whether a question can be answered.
    """
    return sys.stdin.isatty()


def _decide(
    context: click.Context,
    command: str,
    *,
    index: str | None,
    topic: str | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
    wait_s: int,
    as_json: bool,
) -> None:
    """
    Show what is meant, ask, give the decision and tell what followed.
    """
    from sink.config import load
    from sink.core.command import Command, Decision
    from sink.edge import logs
    from sink.edge.kafka.reader import Reader
    from sink.operations.parked_decision import decide

    if everything == bool(index or topic):
        raise click.UsageError("say which documents: --index, --topic or both, or --all")
    if not (yes or dry_run or somebody_is_there()):
        raise click.UsageError("nobody is there to be asked: say --yes, or --dry-run")
    config = load(context.obj)
    logs.configure(config.log)
    effect = None
    with Reader(config.kafka) as reader:
        there = bool(reader.partitions(config.parked_topic))
        found = _found(config, reader, index, topic, as_json=as_json)
        if not as_json:
            print_listing(found, config.parked_topic, there=there)
        if found.documents and not dry_run:
            if not yes:
                click.confirm(f"{command} {found.documents} documents?", abort=True, err=True)
            decision = Decision(Command(command), index or "*", topic or "*")
            effect = decide(config, reader, decision, found, wait_s)
    if as_json:
        told = {"topic": config.parked_topic, **listing_as_json(found)}
        print_json(told | {"effect": effect_as_json(effect)})
    elif effect is not None:
        print_effect(effect, config)
    context.exit(0 if found.documents and (effect is None or effect.ok) else 1)


def _found(
    config: "Config", reader: "Reader", index: str | None, topic: str | None, *, as_json: bool
) -> "Listing":
    """
    Read what waits in the parked topic, with a progress bar.
    """
    from sink.edge.kafka.groups import Groups
    from sink.operations.parked import Listing, choice, fill, spans

    listing = Listing(choice(index, topic))
    wanted = spans(reader, config, Groups(config.kafka).committed(config.kafka.group_id))
    length = sum(span.offsets for span in wanted)
    with progress(length, "reading", as_json=as_json) as bar:
        for records in fill(listing, reader, wanted):
            bar.update(records)
    return listing


def _in_memory(config: "Config") -> "list[ParkedIndex] | None":
    """
    Ask the daemon what waits in its memory; None where it does not answer, which is no error.
    """
    from sink.edge.status_client import parked_in_memory
    from sink.errors import Unavailable

    try:
        return parked_in_memory(config.status)
    except Unavailable as failure:
        click.echo(f"what waits in a sink's memory is not known: {failure}", err=True)
        return None
