"""
Who is measured: one row a candidate, and how each is started.

A candidate is a command line. All of them read the same topics from their beginning, with the
same settings of librdkafka, and send to a null Elasticsearch with two threads.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import floor, load
from sink.config import BulkSettings, KafkaSettings
from sink.edge.kafka.properties import consumer

THREADS = 2

_CONFIG = """\
[kafka]
bootstrap_servers = "{place.bootstrap_servers}"
group_id = "{place.group_id}"
threads = {threads}

[elasticsearch]
hosts = ["http://{place.elasticsearch}"]

[status]
port = 0

[log]
level = "warning"

[[routes]]
name = "bench"
prefix = "bench-"
index = {{ prefix = "bench-", period = "month" }}
"""


class Place(NamedTuple):
    """
    Where one run happens.
    """

    bootstrap_servers: str
    elasticsearch: str  # host:port
    group_id: str  # never used before
    folder: Path  # the run's own


class Candidate(NamedTuple):
    """
    A row of the table.
    """

    name: str
    what: str  # for the report
    command: Callable[[Place], list[str]]
    blocks: bool = False  # Elasticsearch refuses the documents that are counted apart
    delay_ms: int = 0  # Elasticsearch takes so long for each bulk


def reading() -> dict[str, object]:
    """
    Give the sink's own librdkafka settings, as far as they say how records are fetched.

    The floor loop takes the same: otherwise the two would differ in more than what they do.
    """
    own = consumer(KafkaSettings(), 0)
    kinds = ("fetch.", "queued.", "isolation.")
    return {key: value for key, value in own.items() if key.startswith(kinds)}


def _floor(place: Place) -> list[str]:
    plan = floor.Plan(
        consumer=reading()
        | {"bootstrap.servers": place.bootstrap_servers, "group.id": place.group_id},
        topics=load.TOPICS,
        elasticsearch=place.elasticsearch,
        threads=THREADS,
        batch=BulkSettings().docs_max,
    )
    return [sys.executable, floor.__file__, json.dumps(plan)]


def sink(place: Place, more: str = "") -> list[str]:
    """
    Write a configuration of the sink, and give the command that runs it.

    Args:
        more: Further lines of it.
    """
    config = place.folder / "bench.toml"
    config.write_text(_CONFIG.format(place=place, threads=THREADS) + more)
    return [str(Path(sys.executable).with_name("sink")), "run", "-c", str(config)]


def _unaccounted(place: Place) -> list[str]:
    script = Path(__file__).with_name("unaccounted.py")
    # -P: beside it are modules of the bench, which must not stand before others of their name.
    return [sys.executable, "-P", str(script), *sink(place)[1:]]


CANDIDATES = (
    Candidate("floor", "the floor loop: consume, join, blocking send", _floor),
    Candidate("sink", "`sink run`, everything on", sink),
)

_ROOMY = "\n[park]\nbytes_max = 2_000_000_000\n"

# Of the bench with one index blocked. The others are held against the first.
PARKED = (
    Candidate("well", "no index is blocked", sink),
    Candidate(
        "held",
        "one is blocked, `park.bytes_max` holds all its documents",
        partial(sink, more=_ROOMY),
        blocks=True,
    ),
    Candidate("default", "one is blocked, `park.bytes_max` as by default", sink, blocks=True),
)

# Of the bench of the account. The second is held against the first.
ACCOUNTING = (
    Candidate("without", "without tracking, ledger and commits", _unaccounted),
    Candidate("with", "`sink run`, everything on", sink),
)
