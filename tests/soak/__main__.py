"""
`make soak`: plays mishaps on two sinks for half an hour, and exits 1 when something does not hold.
"""

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from engines import Elasticsearch, Kafka, start_together
from tests.engines.oracle import ask, committed
from tests.engines.producing import create_topics
from tests.engines.running import Setup
from tests.faults import mishaps
from tests.faults.mishaps import Planned, World
from tests.faults.stage import Engines, Stage
from tests.faults.steady import Steady
from tests.soak import counting, figures
from tests.soak.figures import Soak
from tests.soak.plot import draw
from tests.soak.sampling import Sample, Sampler
from tests.waiting import wait_until

_FOLDER = Path(".run") / "soak"
_DOCS = Path(__file__).parents[2] / "docs"
_PARTITIONS = {"a": 6, "b": 6}
_EVERY_S = 5.0
_CALM_S = 20.0  # before the first mishap, and after the last has begun
_GAP_S = (50.0, 70.0)
_HOLD_S = (1.0, 20.0)
_OUTAGE_S_MAX = 600.0
_NO_BACKLOG_S = 4  # seconds of records
_START_S = 280.0  # of an engine, while sinks and producer take the processors
_DEATHS_OF = (1,)  # sink 0 runs all the time: it is looked at for what grows
_KAFKA = """
client = { 'session.timeout.ms' = 10000, 'heartbeat.interval.ms' = 1000 }
"""


@click.command()
@click.option("--minutes", default=30.0, show_default=True, type=click.FloatRange(min=3))
@click.option("--seed", default=1, show_default=True, help="Of the mishaps.")
@click.option("--per-s", default=5_000, show_default=True, help="Records a second.")
@click.option("--keep", is_flag=True, help="Keep figures and plot among the docs.")
def main(minutes: float, seed: int, per_s: int, keep: bool) -> None:
    """
    Play a mishap a minute on two sinks under load; at the end each record is accounted for.
    """
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    with ExitStack() as ends:
        stage = Stage("soak", seed, _FOLDER, Engines(lambda: _start(ends)))
        ends.callback(stage.close)
        soak = _soak(stage, minutes, seed, per_s)
    place = _DOCS if keep else _FOLDER
    soak.keep(place / "results" / "soak.json")
    draw(soak, place / "soak.svg")
    _tell(soak, place)


def _start(ends: ExitStack) -> tuple[Kafka, Elasticsearch]:
    forever = {"log.retention.ms": -1}
    kafka = Kafka(_FOLDER / "kafka", settings=forever, timeout_s=_START_S)
    elasticsearch = Elasticsearch(_FOLDER / "elasticsearch", timeout_s=_START_S)
    start_together(kafka, elasticsearch)
    ends.callback(kafka.kill)
    ends.callback(elasticsearch.kill)
    return kafka, elasticsearch


def _soak(stage: Stage, minutes: float, seed: int, per_s: int) -> Soak:
    """
    Play it, then look for each record.
    """
    setup = stage.setup(more="[park]\nms_max = 5000", shutdown_ms="8000")
    setup.settings["kafka"] = _KAFKA
    create_topics(setup, _PARTITIONS)
    sinks = [stage.sink(setup), stage.sink(setup)]
    for sink in sinks:
        sink.until_ready()
    (starting,) = sinks[0].events("starting")
    planned = _plan(stage, minutes * 60)
    world = World(setup, lambda _: stage.sink(setup), sinks, f"{setup.name}-b_*")
    records, drain_s, samples = _play(stage, world, planned, minutes * 60, per_s)
    click.echo("\ncounting")
    outage = max(planned, key=lambda each: each.until_s - each.at_s)
    caught_up_s = figures.caught_up_s(samples, outage.until_s, _NO_BACKLOG_S * per_s)
    found = counting.count(setup, [*_PARTITIONS], records)
    assert found.produced == records, f"{found.produced} of {records} records are in the log"
    return Soak(
        minutes=minutes,
        seed=seed,
        per_s=per_s,
        produced_per_s=round(records / (minutes * 60)),
        records=records,
        missing=len(found.missing),
        twice=len(found.twice),
        too_far=len(found.too_far),
        drain_s=round(drain_s, 1),
        most_lag=figures.most_lag(samples),
        memory_bound_mib=starting["memory_bound_mib"],
        most_mib=figures.most_mib(samples),
        caught_up_s=caught_up_s,
        flat=figures.flat_figures(samples, caught_up_s),
        mishaps=planned,
        samples=samples,
    )


def _plan(stage: Stage, through_s: float) -> list[Planned]:
    """
    Plan one long outage of Elasticsearch, and a mishap a minute around it.
    """
    outage_s = min(_OUTAGE_S_MAX, through_s / 3)
    begin_s = through_s / 12  # early, so that much is left to look whether all stays flat
    outage = Planned(begin_s, begin_s + outage_s, "Elasticsearch kill -9", 0)
    others = mishaps.schedule(
        stage.random,
        through_s=through_s - _HOLD_S[1] - _CALM_S,
        gap_s=_GAP_S,
        hold_s=_HOLD_S,
        sinks=_DEATHS_OF,
        already=[outage],
    )
    for each in others:
        click.echo(f"  {each}")
    return others


def _play(
    stage: Stage, world: World, planned: list[Planned], through_s: float, per_s: int
) -> tuple[int, float, list[Sample]]:
    """
    Produce while the mishaps are played, then let the sinks do what is left, and end them.

    Returns:
        How many records there are, how long what was left took, in seconds, and the samples.
    """
    setup = world.setup
    with Steady(setup, [*_PARTITIONS], per_s, random=stage.random) as steady:
        told = _progress(planned, through_s)
        with Sampler(setup, _PARTITIONS, world.sinks, steady, _EVERY_S, told) as sampler:
            end_s = time.monotonic() + through_s
            mishaps.play(world, planned)
            wait_until(lambda: time.monotonic() >= end_s, through_s, "the end")
            healed_s = time.monotonic()
            records = steady.end()
            _drain(setup, records, through_s)
            drain_s = time.monotonic() - healed_s
    for sink in world.sinks:
        assert sink.terminate() == 0
    return records, drain_s, sampler.samples


def _drain(setup: Setup, records: int, within_s: float) -> None:
    """
    Wait until all is committed, and what was parked is indexed.
    """
    topics = [setup.topic(name) for name in _PARTITIONS]
    wait_until(
        lambda: sum(committed(setup, topics).values()) == records,
        within_s,
        f"{records} records to be committed",
    )
    pattern = f"/{setup.name}-*"
    ask(setup, "POST", f"{pattern}/_refresh")
    wait_until(
        lambda: ask(setup, "GET", f"{pattern}/_count")["count"] >= records,
        within_s,
        f"{records} documents, those that were parked too",
    )


def _progress(planned: list[Planned], through_s: float) -> Callable[[Sample], None]:
    """
    Give what says how it goes: on one line of a terminal, else once a minute.
    """
    live = sys.stdout.isatty()

    def told(sample: Sample) -> None:
        if not live and sample.at_s % 60 >= _EVERY_S:
            return
        now = [each.told for each in planned if each.at_s <= sample.at_s <= each.until_s]
        rss = " ".join(f"{sink.rss_mib:.0f}" if sink else "-" for sink in sample.sinks)
        lag = "?" if sample.lag is None else f"{sample.lag:,}"
        line = f"{sample.at_s / 60:5.1f} of {through_s / 60:g} min  {sample.produced:>11,} records"
        line += f"  lag {lag:>9}  RSS {rss} MiB  {', '.join(now)}"
        click.echo(f"\r{line:<110}" if live else line, nl=not live)

    return told


def _tell(soak: Soak, place: Path) -> None:
    """
    Print the verdict, and end with 1 when something does not hold.
    """
    click.echo(
        f"{soak.records:,} records in {soak.minutes:g} minutes, {len(soak.mishaps)} mishaps: "
        f"E {soak.missing}, D {soak.twice}, O {soak.too_far}; "
        f"longest lag {soak.most_lag:,}, drained in {soak.drain_s} s"
    )
    for name, flat in soak.flat.items():
        word = "flat" if flat.is_flat else "NOT FLAT"
        click.echo(
            f"{name}: {flat.first_third:g} → {flat.last_third:g}, most {flat.most:g}: {word}"
        )
    click.echo(f"figures: {place / 'results' / 'soak.json'}, plot: {place / 'soak.svg'}")
    for finding in soak.findings():
        click.echo(f"finding: {finding}", err=True)
    sys.exit(bool(soak.findings()))


if __name__ == "__main__":
    main()
