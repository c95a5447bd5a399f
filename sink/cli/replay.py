"""
`sink replay`.
"""

from typing import TYPE_CHECKING, Any

import click

from sink.cli.bounds import Bound
from sink.cli.options import config_file
from sink.cli.report import GIVE_UP_AFTER, by_flag, carry_out, print_report, report_as_json
from sink.cli.tables import json_option, print_json, print_table

if TYPE_CHECKING:
    from sink.operations.replay import TopicReplay

# A small part of what one daemon moves: Elasticsearch has the live documents to index besides.
_RATE = 5000
_GROUPS = ("index",)


@click.command()
@config_file
@click.option("--topic", required=True, help="The topic to read.")
@click.option(
    "--from",
    "begin",
    type=Bound(),
    required=True,
    help="First offset, or the first record at or after a time. 0: all there is.",
)
@click.option(
    "--to",
    "end",
    type=Bound(),
    help="Offset after the last, or the first record at or after a time. Without it: what is "
    "there now.",
)
@click.option(
    "--partition",
    "partitions",
    type=click.IntRange(min=0),
    multiple=True,
    help="Only this partition; may be given several times. Offsets hold for each partition.",
)
@click.option(
    "--shadow",
    metavar="PREFIX",
    help="Index beside: put PREFIX before each index name, under the same ids. Make an index "
    "template for such names first, or Elasticsearch guesses the mapping.",
)
@click.option(
    "--rate",
    type=click.IntRange(min=0),
    default=_RATE,
    show_default=True,
    help="Records a second, so that live documents are not held up; 0: no limit.",
)
@GIVE_UP_AFTER
@click.option("--dry-run", is_flag=True, help="Only say how many documents each index would get.")
@json_option
@click.pass_context
def replay(
    context: click.Context, /, *, give_up_after_s: int, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """
    Read a range of a topic again and index it as the daemon would.

    Joins no group, moves no committed offset, dead-letters nothing. A document has the same index
    and id as before: what is there is left as it is (with op_type = "index" it is written again).
    An index that was deleted is created again. Who replayed what is kept in the dead-letter topic:
    `sink dlq list` shows it.

    Exit code 1: a document was refused.
    """
    from sink.config import load
    from sink.edge import logs
    from sink.edge.kafka.admin import Brokers
    from sink.edge.kafka.reader import Reader
    from sink.operations.perform import Order
    from sink.operations.replay import TopicReplay, Wanted

    config = load(context.obj)
    logs.configure(config.log)
    brokers = Brokers(config.kafka)
    order = Order("replay", by_flag(given), give_up_after_s, dry_run=dry_run)
    with Reader(config.kafka) as reader:
        operation = TopicReplay(config, reader, brokers, Wanted(**given))
        try:
            carry_out(operation, config, brokers, order, as_json=as_json)
        finally:  # also what was done until Ctrl-C is told
            _print(operation, dry_run=dry_run, as_json=as_json)
    context.exit(0 if operation.report.ok else 1)


def _print(operation: "TopicReplay", *, dry_run: bool, as_json: bool) -> None:
    spans = [(span.partition.number, span.begin, span.end) for span in operation.spans]
    if as_json:
        read = [dict(zip(("partition", "begin", "end"), span, strict=True)) for span in spans]
        print_json({"read": read, **report_as_json(operation.report, _GROUPS, dry_run=dry_run)})
        return
    print_table(("PARTITION", "FROM", "TO"), spans)
    click.echo()
    print_report(operation.report, _GROUPS)
