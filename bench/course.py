"""
What all benches share: a broker that holds the records, a folder, a bar that moves, how they end.
"""

import compileall
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, NoReturn

import click

import sink
from bench import load, null_server
from bench.measure import Bound
from engines import Kafka

_RUN = Path(__file__).parents[1] / ".run"
# Of the broker: its own default, so that both threads of a candidate are in the first generation
# of their group. Without the delay each run would begin with a rebalance.
_BROKER = {"group.initial.rebalance.delay.ms": 3_000}


class Course(NamedTuple):
    """
    What all runs share.
    """

    bootstrap_servers: str
    null_elasticsearch: Path  # the program
    documents: int  # a run is over when so many have come
    folder: Path
    progress: Callable[[int], object]  # told how many documents have come since the last call
    apart: str  # documents of indices that begin like this are counted apart; empty for none


@contextmanager
def prepared(
    topics: Mapping[str, int],
    records: int,
    runs: int,
    *,
    apart: str = "",
    source: Iterator[bytes] | None = None,
    stride: int = load.STRIDE,
) -> Iterator[Course]:
    """
    Fill a broker, for so many runs.

    Args:
        topics: Name → number of partitions.
        records: As many for each partition.
        apart: The topic whose documents are counted apart.
        source: Values of as many records, where they are not the usual ones.
        stride: Records in a row to one partition.
    Raises:
        EngineError, ToolMissing: What it takes is not there.
    """
    program = null_server.build()
    # As pip leaves a package: else each start would compile it (a third of its CPU), if the
    # environment says PYTHONDONTWRITEBYTECODE.
    compileall.compile_dir(sink.__path__[0], quiet=1)
    with broker() as (folder, servers):
        with _bar(records, "Writing the records") as bar:
            load.produce(servers, topics, records, bar.update, source, stride)
        partitions = sum(topics.values())
        documents = records * (partitions - topics.get(apart, 0)) // partitions
        with _bar(documents * runs, "Running the candidates") as bar:
            yield Course(
                servers, program, documents, folder, bar.update, apart=apart and f"{apart}_"
            )


@contextmanager
def broker() -> Iterator[tuple[Path, str]]:
    """
    Start a broker: its folder, and where it is asked.

    Raises:
        EngineError: It does not start.
    """
    with _folder() as folder, Kafka(folder / "kafka", heap="1g", settings=_BROKER) as kafka:
        yield folder, kafka.bootstrap_servers


def conclude(last: Mapping[str, float], held: Iterable[Bound]) -> NoReturn:
    """
    End a bench: with the broken bounds, its last line, and exit code 1 where a bound is broken.
    """
    broken = [bound for bound in held if not bound.holds]
    for bound in broken:
        said = f"Bound broken: {bound.what}, is {bound.measured:g}, at most {bound.at_most:g}."
        click.echo(said, err=True)
    click.echo(json.dumps(last))
    sys.exit(bool(broken))


@contextmanager
def _folder() -> Iterator[Path]:
    _RUN.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=_RUN) as folder:
        yield Path(folder)


def _bar(length: int, label: str) -> "click._termui_impl.ProgressBar[int]":
    return click.progressbar(length=length, label=label, file=sys.stderr)
