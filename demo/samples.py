"""
The records of the demo: values as real producers send them, where each goes and how often.

Read by the load, which sends them, and by the judge, which knows from here what must come of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

_VALUES = Path(__file__).parents[1] / "tests" / "fixtures" / "records"
_GATEWAY, _ORDER = _EKK = ("ekk-gateway-core", "ekk-order-service")
TOMBSTONE = "tombstone"


def value_of(name: str) -> bytes | None:
    """
    Read the value of a sample by its name.
    """
    return None if name == TOMBSTONE else (_VALUES / name).read_bytes()


@dataclass(frozen=True)
class Sample:
    """
    One value.

    Args:
        name: Of its file; `TOMBSTONE` is a record without a value.
        topics: It goes to them in turn.
        weight: How often it comes in a round of the mix.
        documents: How many it holds, counted by hand: the judge believes no code of the sink.
    """

    name: str
    topics: tuple[str, ...]
    weight: int = 1
    documents: int = 1

    @cached_property
    def value(self) -> bytes | None:
        """
        The value as it is sent.
        """
        return value_of(self.name)


SAMPLES = [
    Sample("ekk-appender.json", (_GATEWAY,), 40),
    Sample("ekk-appender-chinese.json", (_ORDER,), 40),
    Sample("kong-kafka-log.json", ("kong-kafka-log",), 12),
    Sample("kong-kafka-log-older.json", ("kong-kafka-log",), 4),
    Sample("apisix-default.json", ("apisix",), 10),
    Sample("apisix-default-batch.json", ("apisix",), 4, documents=3),
    Sample("apisix-log-format.json", ("apisix",), 4),
    Sample("apisix-origin.txt", ("apisix",), 4),
    Sample("go-zap.json", ("zap",), 10),
    Sample("go-zap-iso8601.json", ("zap",), 6),
    Sample("go-msproject.json", ("msproject_log",), 10),
    Sample("ekk-appender.json", ("app-log",), 4),
    Sample("apisix-log-format.json", ("app-log",), 2),
    Sample("not-json.txt", ("app-log",), 2),
    Sample("ekk-appender.json", ("plain",), 4),
    Sample("not-json.txt", ("plain",), 2),
    Sample("not-json.txt", (_GATEWAY,), 2),
    Sample("not-json.txt", (_ORDER,), 2),
    Sample("not-utf8.bin", _EKK, 2),
    Sample("pretty.json", _EKK, 2),
    Sample("values.ndjson", _EKK, documents=3),
    Sample("mixed-array.json", _EKK, documents=4),
    Sample("injection.txt", _EKK, documents=2),
    Sample("dup-keys.json", _EKK),
    Sample("deep.json", _EKK),
    Sample("bom.json", _EKK),
    Sample("numbers.json", _EKK),
    Sample("lone-surrogate.json", _EKK),
    Sample("empty.bin", _EKK, documents=0),
    Sample(TOMBSTONE, _EKK, documents=0),
]


def records() -> Iterator[tuple[str, bytes | None]]:
    """
    Give topic and value of one record after another, without end: a steady mix of all samples.
    """
    turns = ((turn / sample.weight, sample) for sample in SAMPLES for turn in range(sample.weight))
    mix = [sample for _, sample in sorted(turns, key=lambda pair: pair[0])]
    for number in count():
        for position, sample in enumerate(mix):
            yield sample.topics[(number + position) % len(sample.topics)], sample.value


def documents_by_value() -> dict[bytes | None, int]:
    """
    Tell how many documents each value holds; 0 where a rule drops it.
    """
    return {sample.value: sample.documents for sample in SAMPLES}
