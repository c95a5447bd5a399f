"""
Shows the bench of the memory: its table and its part of docs/performance.md.
"""

from bench.measure import Bound, memory_bounds
from bench.result import Peaks
from bench.shapes import SHAPES

_PAGE = """
## Memory

What the sink takes at most (`VmHWM`), beside the bound that it tells at its start
(`memory_bound_mib`), with the settings as they come. Each kind of records is a backlog of some 50
to 300 MB in a topic of 12 partitions. Elasticsearch takes {delay_ms} ms for each bulk, so that all
places that it may use are taken.

{measured}

    make bench-memory

`make bench-memory` fails where a peak is more than a tenth above the bound. The peaks are far below
it, because the bound adds up what may be full at once: documents that are set aside, letters that
are written and a decompressed answer beside all the bulks that a faster Elasticsearch would get.

- librdkafka's bound of the prefetch counts the bytes of values. A record takes some 350 bytes
  beside its value there, and its headers: 150,000 records of 200 bytes took 76 MiB where
  `fetchq_size` said 29, with 30 headers each 262 MiB. So the number of records is bounded as well.
- An answer is decompressed as a whole, whatever is queued already: `kafka.compression_ratio_max`
  reckons with it. With `kafka.fetch_bytes_max` at 4 MiB and no bound in records the row of zstd
  took 388 MiB, that of 200 bytes 161.
- Headers are counted where polls are bounded. Uncounted, the row of 30 headers took 433 MiB and the
  parked topic 269; now their bulks are smaller, and more.
- Interpreter and libraries take 66 MiB before the first record, 40 more than the floor loop's: the
  Elasticsearch client 17, reading the configuration 13, logging 3; `rich`, which structlog
  takes where it is installed (it is for our tests), is 3 more.
- A backlog of 1,500,000 records of 501 bytes on a busy machine took 156 to 180 MiB at the peak, in
  four runs; 189 and 195 with four `bulk.queue_slots` instead of two and as many malloc arenas as
  glibc likes instead of two (`MALLOC_ARENA_MAX=64 sink run`), 178 with either alone.
"""


def rendered(one: Peaks) -> str:
    """
    Return the part of the page.
    """
    return _PAGE.format(delay_ms=one["delay_ms"], measured=measured(one))


def measured(one: Peaks) -> str:
    """
    Return the peaks as a table, and where they were measured.
    """
    what = {each.name: each for each in SHAPES}
    rows = [
        "| Records | number | bulks | peak RSS, MiB | bound, MiB | within a tenth |",
        "|---|---|---|---|---|---|",
    ]
    for (name, peak), bound in zip(one["peaks"].items(), bounds(one), strict=True):
        shape = what[name]
        figures = f"{peak['rss_mib']:.0f} | {peak['bound_mib']}"
        holds = "yes" if bound.holds else "**no**"
        rows.append(f"| {shape.what} | {shape.records:,} | {peak['bulks']} | {figures} | {holds} |")
    machine = one["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in one["versions"].items())
    return "\n".join(
        [*rows, "", f"On {machine['cores']} cores ({machine['processor']}). {versions}."]
    )


def bounds(one: Peaks) -> list[Bound]:
    """
    Hold each peak against the bound.
    """
    what = {each.name: each.what for each in SHAPES}
    return memory_bounds({what[name]: peak for name, peak in one["peaks"].items()})
