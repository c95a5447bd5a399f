"""
What is varied: one row a variant, which differs from the sink's defaults in one thing.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from bench import candidates
from bench.candidates import Place
from sink.config import BulkSettings, ElasticsearchSettings

BASE = "base"


class Variant(NamedTuple):
    """
    A row of the table.
    """

    name: str
    setting: str  # what is varied
    value: str
    environment: dict[str, str]  # of the sink
    shards: int = 1
    hashed: bool = False


def _routes(id_form: str) -> str:
    index = '{"prefix": "bench-", "period": "month"}'
    return f'[{{"name": "bench", "prefix": "bench-", "id": "{id_form}", "index": {index}}}]'


def _bulk(docs: int) -> Variant:
    # Bytes must not be the limit, of a bulk or of a poll.
    told = {"SINK__BULK__DOCS_MAX": str(docs), "SINK__BULK__BYTES_MAX": "20000000"}
    return Variant(f"bulk-{docs}", "bulk.docs_max", f"{docs:,}", told)


def _in_flight(bulks: int) -> Variant:
    told = {"SINK__BULK__IN_FLIGHT": str(bulks)}
    return Variant(f"in-flight-{bulks}", "bulk.in_flight", f"at most {bulks}", told)


def _shards(shards: int) -> Variant:
    docs = BulkSettings().docs_max // shards
    value = f"{docs:,} ({shards} shards)"
    return Variant(f"shards-{shards}", "documents a shard in a bulk", value, {}, shards=shards)


VARIANTS = (
    Variant(BASE, "the defaults, one shard", "", {}),
    Variant("no-ids", "id", "none", {"SINK__ROUTES": _routes("none")}),
    Variant("hashed-ids", "id", "MD5, 32 hexadecimal digits", {}, hashed=True),
    *map(_bulk, (500, 1_000, 2_500, 10_000)),
    *map(_in_flight, (1, 2, 4, 16)),
    *map(_shards, (4, 12)),
    Variant("gzip", "elasticsearch.compress", "true", {"SINK__ELASTICSEARCH__COMPRESS": "true"}),
)

# What the sink does where nothing is set, by what is varied.
DEFAULTS = {
    "id": "offset",
    "bulk.docs_max": f"{BulkSettings().docs_max:,}",
    "bulk.in_flight": f"at most {BulkSettings().in_flight}",
    "documents a shard in a bulk": f"{BulkSettings().docs_max:,} (1 shard)",
    "elasticsearch.compress": str(ElasticsearchSettings().compress).lower(),
}


def command(variant: Variant, place: Place) -> list[str]:
    """
    Give the command that runs the sink as a variant has it.
    """
    sink = candidates.sink(place)
    if variant.hashed:
        # -P: beside the script are modules of the bench, which must not stand before others.
        sink = [sys.executable, "-P", str(Path(__file__).with_name("hashed_ids.py")), *sink[1:]]
    told = [f"{name}={value}" for name, value in variant.environment.items()]
    return ["/usr/bin/env", *told, *sink]
