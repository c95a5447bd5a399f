"""
`sink preview`: what becomes of the last records of topics. Joins no group and writes nothing.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import orjson

from sink.config import Config
from sink.core.collect import runs
from sink.core.dead_letter import target_of
from sink.core.record import Record
from sink.core.route import route_of
from sink.core.target import Target
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.reader import Reader
from sink.errors import ConfigError
from sink.reading.targets import Targets
from sink.routes import routes_of

_DOCS_MAX = 1000  # of a piece; one record is made at a time


@dataclass(frozen=True, slots=True)
class Fate:
    """
    What would become of a document, or of a record that gives none.

    Args:
        fate: `document`, `dropped` or `dead`.
        why: The rule that drops it, or what is wrong with it.
    """

    topic: str
    partition: int
    offset: int
    fate: str
    why: str = ""
    index: str | None = None
    id: str | None = None
    pipeline: str | None = None
    document: str | None = None


def preview(
    config: Config, brokers: Brokers, reader: Reader, records: int, topic: str | None
) -> Iterator[Fate]:
    """
    Tell what becomes of the last records of a topic, or of each that a route takes.

    Args:
        records: Of each topic.
    Raises:
        ConfigError: A route is impossible, or takes no topic that is there.
        Unauthorized, Unavailable: With the reason.
    """
    routes = routes_of(config)
    wanted = [
        name
        for name in brokers.topics()
        if (topic is None or name == topic) and route_of(name, routes)
    ]
    if not wanted:
        raise ConfigError(
            "no route takes a topic that is there; see `sink check`"
            if topic is None
            else f"--topic: there is no topic {topic}, or no route takes it; see `sink check`"
        )
    targets = Targets(routes, brokers.topic_ids, config.kafka.id_namespace)
    targets.learn(wanted)
    for name in wanted:
        target = targets[name]
        assert isinstance(target, Target)  # no route may take the parked topic
        for record in _last(reader, name, records):
            yield from _fates(target, record)


def _last(reader: Reader, topic: str, records: int) -> list[Record]:
    """
    Read the last records of a topic, the newest last. Markers and compaction may leave fewer.
    """
    spans = [
        span._replace(begin=max(span.begin, span.end - records))
        for span in reader.spans(reader.partitions(topic))
    ]
    found = [record for batch in reader.batches(spans) for record in batch]
    found.sort(key=lambda record: (record.timestamp()[1], record.partition(), record.offset()))
    return found[-records:]


def _fates(target: Target, record: Record) -> Iterator[Fate]:
    place = (record.topic() or "", record.partition() or 0, record.offset() or 0)
    for run in runs([record]):
        for _, made, actions in target.pieces(run, _DOCS_MAX):
            for line, source in zip(actions.lines, made.sources, strict=True):
                index, id_ = target_of(line)
                pipeline = target.route.pipeline
                document = source.decode(errors="replace")
                yield Fate(*place, "document", "", index, id_, pipeline, document)
            for rule, documents in made.dropped.items():
                yield from [Fate(*place, "dropped", rule)] * documents
            for each in made.rejected:
                yield Fate(*place, "dead", f"{each.error_type}: {each.reason}")


def as_json(fate: Fate) -> dict[str, object]:
    """
    Give what there is to tell of a document, itself as the JSON that it is.
    """
    told = {name: value for name, value in asdict(fate).items() if value not in (None, "")}
    if fate.document is not None:
        try:
            told["document"] = orjson.loads(fate.document)
        except orjson.JSONDecodeError:  # a number of no size: Elasticsearch has the last word
            told["document"] = fate.document
    return told
