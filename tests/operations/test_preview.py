"""
What `sink preview` tells: index, id and document, as the daemon would make them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest

from sink.config import Config
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Span
from sink.errors import ConfigError
from sink.operations.preview import Fate, as_json, preview
from sink.testing import FakeRecord, topic_id

if TYPE_CHECKING:
    from sink.edge.kafka.admin import Brokers
    from sink.edge.kafka.reader import Reader


class _Kafka:
    """Brokers and a Reader of some records."""

    def __init__(self, *records: FakeRecord) -> None:
        self._records = records
        self.read: list[Span] = []

    def topics(self) -> list[str]:
        return ["ekk-a", "ekk-b", "other"]

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return {topic: topic_id(topic) for topic in topics}

    def partitions(self, topic: str) -> list[Partition]:
        return [Partition(topic, number) for number in (0, 1)]

    def spans(self, partitions: Iterable[Partition]) -> list[Span]:
        return [Span(each, 0, 100) for each in partitions]

    def batches(self, spans: Sequence[Span]) -> Iterator[list[Record]]:
        self.read += spans
        wanted = {span.partition: span for span in spans}
        for record in self._records:
            span = wanted.get(Partition(record.topic(), record.partition()))
            if span and span.begin <= record.offset() < span.end:
                yield [record]


def _previewed(kafka: _Kafka, records: int, topic: str | None = None, **route: Any) -> list[Fate]:
    given = {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}, **route}
    given["time_guard"] = {"not_before": "1970-01-01"}
    config = Config.model_validate({"routes": [given]})
    brokers, reader = cast("Brokers", kafka), cast("Reader", kafka)
    return list(preview(config, brokers, reader, records, topic))


def test_the_newest_records_of_a_topic_are_shown_with_index_and_id() -> None:
    kafka = _Kafka(
        FakeRecord("ekk-a", 0, 99, b'{"n":2}', timestamp_ms=2_000),
        FakeRecord("ekk-a", 1, 98, b'{"n":1}', timestamp_ms=1_000),
        FakeRecord("ekk-a", 1, 99, b'{"n":3}', timestamp_ms=3_000),
        FakeRecord("ekk-b", 1, 99, b'{"n":4}'),
    )

    found = _previewed(kafka, 2, "ekk-a", pipeline="p")

    assert [span.begin for span in kafka.read] == [98, 98]
    assert found == [
        Fate(
            "ekk-a",
            partition,
            99,
            "document",
            index="sag-a_1970-01-01",
            id=f"{topic_id('ekk-a')}-{partition}-0-99",
            pipeline="p",
            document=f'{{"@timestamp":"1970-01-01T00:00:0{n}.000Z","n":{n}}}',
        )
        for partition, n in ((0, 2), (1, 3))
    ]


def test_what_gives_no_document_is_told_with_the_reason() -> None:
    values: tuple[bytes | None, ...] = (None, b'[{"n":1},2]', b'{"n":7}')
    kafka = _Kafka(*(FakeRecord("ekk-b", 0, 97 + n, value) for n, value in enumerate(values)))

    found = _previewed(kafka, 10, shape={"drop_records": {"seven": {"n": 7}}})

    assert [(each.offset, each.fate, each.why) for each in found] == [
        (97, "dropped", "tombstone"),
        (98, "document", ""),
        (98, "dead", "not_an_object: array element is not a JSON object"),
        (99, "dropped", "seven"),
    ]


def test_json_holds_the_document_as_it_is() -> None:
    told = as_json(Fate("t", 0, 0, "document", index="i", document='{"n":[1]}'))

    assert told == {
        "topic": "t",
        "partition": 0,
        "offset": 0,
        "fate": "document",
        "index": "i",
        "document": {"n": [1]},
    }
    assert as_json(Fate("t", 0, 0, "document", document='{"n":1e999}'))["document"] == '{"n":1e999}'


@pytest.mark.parametrize("topic", ["other", "ekk-none"])
def test_a_topic_that_no_route_takes_is_refused(topic: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no topic {topic}, or no route takes it"):
        _previewed(_Kafka(), 10, topic)
