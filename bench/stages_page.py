"""
Shows the bench of the stages: its table and its part of docs/performance.md.
"""

from bench.result import Stages
from bench.tables import table, where

_PAGE = """
## Where each tenth of a microsecond goes

What the sink does with a record between Kafka and Elasticsearch, step by step, beside the floor
loop: {own:.2f} against {floor:.2f} µs. What both do alike in Kafka's client is left out, so are the
start (see above) and the threads' waiting for each other.

{measured}

    python -m bench.stages

- One thread, polls of 5,000 that are held ready, the null Elasticsearch of the bench; medians of
  the rounds. The machine's load makes all rows dearer, most of all those that read memory.
- **Is it an object?** The floor loop trusts every byte. msgspec skips over each string byte by
  byte, which is two thirds of the row; the rest looks for newlines, for a field, and for what is
  not ASCII, of which UTF-8 is decoded.
- **`@timestamp`** copies the value once: most of it is the memory for the copy.
- **Joined** is what the floor loop does as well, which reads the values meanwhile. The sink joins
  more parts a document: no action line is made, but halves that many documents share.
- **Sent** is one request a bulk by asyncio and the Elasticsearch client, against one blocking
  socket.

### What was tried

Figures of parts are of the part alone, in one process. The first row is the whole: `sink run` with
two million records, in turns with the program before and the floor loop, which took 1.53: from 2.6
to 2.3 times that. Three rounds on a machine with much other work; on a quiet one the program
before took 2.28 times the floor loop's.

{tried}
"""

_TRIED = (
    ("all that was kept, together", "4.00 → 3.57", "kept; some 10 MiB less"),
    ("documents are joined by the worker, run by run", "moves 0.3 off the loop", "kept"),
    ("action lines out of shared halves, instead of each formatted", "-0.10", "kept"),
    ("partitions grouped and topics counted, instead of pairs compared", "-0.04", "kept"),
    ("runs of 1,024 records at most, instead of a whole poll", "-0.05", "kept; 512, 2,048: alike"),
    ("no garbage is collected while libraries are imported", "-8 % of imports", "kept"),
    ("a batch for records with their own `@timestamp`, `log`", "1.85 → 1.01", "kept"),
    ("the same for `logstash`, which adds two fields", "7.8 → 1.65", "kept"),
    ("a run's values validated in one call (msgspec's `decode_lines`)", "0", "thrown away"),
    ("newlines looked for in joined values", "0; ASCII alone -0.04", "thrown away"),
    ("`@timestamp` joined in before a slice or a view of the value", "0", "thrown away"),
    ("longer switch interval of Python's threads (30 ms)", "0", "thrown away"),
    ("malloc: higher thresholds for trimming and mapping; two arenas", "0; more", "thrown away"),
    (
        "aiohttp without the certificates it reads at its import",
        "-4 % of imports",
        "thrown away: a patch of `ssl`",
    ),
)


def rendered(one: Stages) -> str:
    """
    Return the part of the page.
    """
    own, floor = (sum(one["sink"].values()), sum(one["floor"].values()))
    tried = table(["", "µs CPU a record", ""], _TRIED)
    return _PAGE.format(own=own, floor=floor, measured=measured(one), tried=tried)


def measured(one: Stages) -> str:
    """
    Return the stages as a table, and where they were measured.
    """
    own, floors = one["sink"], one["floor"]
    rows = [
        [name, f"{spent:.2f}", f"{floors[name]:.2f}" if name in floors else ""]
        for name, spent in own.items()
    ]
    rows.append(["together", f"{sum(own.values()):.2f}", f"{sum(floors.values()):.2f}"])
    told = table(["step", "sink, µs CPU a record", "floor loop, µs"], rows)
    return f"{told}\n\n{where(one['machine'], one['versions'], [one['load']])}"
