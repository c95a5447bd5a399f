"""
`sink dlq`: list, show and replay dead letters.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sink.cli.bounds import Time
from sink.cli.letters import decoded, listing_as_json, print_letter, print_listing
from sink.cli.options import config_file
from sink.cli.report import GIVE_UP_AFTER, by_flag, carry_out, print_report, report_as_json
from sink.cli.tables import json_option, print_json, progress

Command = TypeVar("Command", bound=Callable[..., Any])
_GROUPS = ("error_type", "topic", "index")


def _choice(command: Command) -> Command:
    """
    Add the options that choose dead letters.
    """
    options = (
        click.option("--error", help="Only this type of error; * stands for any characters."),
        click.option("--topic", help="Only records of this topic; * as above."),
        click.option("--index", help="Only documents for this index; * as above."),
        click.option("--from", "since", type=Time(), help="Dead-lettered at or after this time."),
        click.option("--to", "until", type=Time(), help="Dead-lettered before this time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
@config_file
def dlq() -> None:
    """
    List, show and replay dead letters.

    Reads the dead-letter topic in no group, up to what is there now. Deletes nothing of it.
    """


@dlq.command("list")
@config_file
@_choice
@json_option
@click.pass_obj
def list_(path: Path | None, /, *, as_json: bool, **given: Any) -> None:
    """
    Count dead letters by error type, index and topic, and tell the last replays.

    A document counts once, also when a crash wrote its letter twice: for that some 100 bytes of
    memory are needed for each letter. Replayed letters stay in the topic and are listed.
    """
    from sink.config import load
    from sink.edge import logs
    from sink.edge.kafka.reader import Reader
    from sink.operations import dead_letters

    config = load(path)
    logs.configure(config.log)
    choice = dead_letters.Choice(**given)
    listing = dead_letters.Listing()
    with Reader(config.kafka) as reader:
        spans = dead_letters.spans(reader, config, choice)
        length = sum(span.offsets for span in spans)
        with progress(length, "reading", as_json=as_json) as bar:
            for page in dead_letters.pages(reader, spans, choice):
                listing.add(page)
                bar.update(page.records)
    if as_json:
        print_json({"topic": config.dead_letter_topic, **listing_as_json(listing)})
    else:
        print_listing(listing, config.dead_letter_topic)


@dlq.command()
@config_file
@click.argument("place", required=False, metavar="[PARTITION:OFFSET]")
@click.option(
    "--record",
    metavar="TOPIC/PARTITION/OFFSET",
    help="The letters of a record by where it was consumed from, at most 100. Reads the whole "
    "dead-letter topic: the place is quicker.",
)
@json_option
@click.pass_obj
def show(path: Path | None, /, place: str | None, record: str | None, *, as_json: bool) -> None:
    """
    Decode the dead letter at PARTITION:OFFSET of the dead-letter topic; `sink dlq list` tells it.

    Key, value and headers are shown as text, what is not UTF-8 in base64.
    """
    from sink.config import load
    from sink.edge import logs
    from sink.edge.kafka.reader import Reader
    from sink.operations.dead_letters import Place, at, of_record
    from sink.operations.report import Origin

    wanted = re.fullmatch(r"(\d+):(\d+)", place or "")
    origin = re.fullmatch(r"([^/]+)/(\d+)/(\d+)", record or "")
    if bool(wanted) == bool(origin):
        raise click.UsageError("give either PARTITION:OFFSET or --record TOPIC/PARTITION/OFFSET")
    config = load(path)
    logs.configure(config.log)
    with Reader(config.kafka) as reader:
        if wanted:
            letters = [at(reader, config, Place(*map(int, wanted.groups())))]
        else:
            assert origin is not None
            topic, *numbers = origin.groups()
            letters = of_record(reader, config, Origin(topic, *map(int, numbers)))
    if as_json:
        rows = [decoded(letter) for letter in letters]
        print_json(rows[0] if wanted else rows)
    else:
        for letter in letters:
            print_letter(letter)


@dlq.command()
@config_file
@_choice
@GIVE_UP_AFTER
@click.option("--dry-run", is_flag=True, help="Only say what would be sent where, by group.")
@json_option
@click.pass_context
def replay(
    context: click.Context, /, *, give_up_after_s: int, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """
    Send dead letters again, for instance after a mapping was mended.

    A document that Elasticsearch refused gets the index and id it had. A record that the collector
    refused is collected by the route of today. A second replay therefore changes nothing. Letters
    stay in the topic; what is refused again is not written there again. Who replayed what is kept
    in the dead-letter topic: `sink dlq list` shows it.

    Exit code 1: something was refused again or cannot be replayed.
    """
    from sink.config import load
    from sink.edge import logs
    from sink.edge.kafka.admin import Brokers
    from sink.edge.kafka.reader import Reader
    from sink.operations.dead_letter_replay import DeadLetterReplay
    from sink.operations.dead_letters import Choice
    from sink.operations.perform import Order

    config = load(context.obj)
    logs.configure(config.log)
    order = Order("dlq replay", by_flag(given), give_up_after_s, dry_run=dry_run)
    with Reader(config.kafka) as reader:
        operation = DeadLetterReplay(config, reader, Choice(**given))
        try:
            carry_out(operation, config, Brokers(config.kafka), order, as_json=as_json)
        finally:  # also what was done until Ctrl-C is told
            if as_json:
                print_json(report_as_json(operation.report, _GROUPS, dry_run=dry_run))
            else:
                print_report(operation.report, _GROUPS)
    context.exit(0 if operation.report.ok else 1)
