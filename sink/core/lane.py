"""
The state of a parked index: what waits for it, and what may be asked of it.
"""

from collections import deque
from dataclasses import dataclass, field

import orjson

from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.outcome import Verdict
from sink.core.tally import Progress

_PROBE_ID = "sink-probe"
_TOPIC = "topic:"  # no name of an index has a colon


@dataclass(slots=True)
class Aside:
    """
    Documents of one index out of one bulk, set aside.

    Args:
        part: As they were set aside: the room they take.
        rest: Those that are not decided yet.
    """

    part: Bulk
    progress: Progress
    rest: Bulk = field(init=False)

    def __post_init__(self) -> None:
        self.rest = self.part

    def take(self, position: int, fate: str) -> None:
        """
        Enter what became of one document of the rest.
        """
        section = self.rest.places()[position]
        self.progress.fates[section.consumed_from, fate] += 1
        self.rest = self.rest.part([p for p in range(len(self.rest)) if p != position])


@dataclass(frozen=True, slots=True)
class ParkedIndex:
    """
    What an operator is told of a parked index.

    Args:
        index: Or `topic:` and a topic that makes too many dead letters.
        since_s: Seconds since the epoch, UTC.
        documents: That wait in memory, with their bytes.
        blocks: No document of the index is sent but the one that asks.
        spills: Some of its documents went to the parked topic.
    """

    index: str
    error_type: str
    reason: str
    since_s: float
    documents: int
    size_bytes: int
    blocks: bool
    spills: bool


@dataclass(slots=True)
class Lane:
    """
    A parked index, or a parked topic.

    Args:
        key: The index, or `topic:` and the topic.
        why: What Elasticsearch said last.
        sample: One of an index' documents, to name it by.
        attempts: Probes since it was well for long.
        since_s: Seconds since the epoch, UTC; for people only.
    """

    key: str
    why: Verdict
    sample: Bulk | None
    since_s: float
    opened_s: float = 0.0  # of the loop's clock
    attempts: int = 0
    blocks: bool = True  # its index; False: the index is fit, only these documents are refused
    spills: bool = False
    cursor: int = 0  # which document asks next
    asides: deque[Aside] = field(default_factory=deque)
    documents: int = 0  # of the asides, with their bytes
    size_bytes: int = 0

    @property
    def topic(self) -> str | None:
        """
        The topic, where it is one that is parked.
        """
        return self.key.removeprefix(_TOPIC) if self.key.startswith(_TOPIC) else None

    def hold(self, aside: Aside) -> None:
        """
        Set documents aside.
        """
        self.asides.append(aside)
        self.documents += len(aside.rest)
        self.size_bytes += aside.part.size_bytes

    def release(self) -> Aside:
        """
        Let go what was set aside first.
        """
        aside = self.asides.popleft()
        self.documents -= len(aside.rest)
        self.size_bytes -= aside.part.size_bytes
        return aside

    def take(self, aside: Aside, position: int, fate: str) -> None:
        """
        Enter what became of one document.
        """
        aside.take(position, fate)
        self.documents -= 1

    def candidate(self) -> tuple[Bulk, Aside | None, int]:
        """
        Give the document that asks next: as a bulk of its own, where it is held, its position.

        Where none is held a dry run asks: a document of the parked topic is the workers' to send.
        """
        held = sum(len(aside.rest) for aside in self.asides)
        position = self.cursor % held if held else 0
        for aside in self.asides:
            if position < len(aside.rest):
                return aside.rest.part([position]), aside, position
            position -= len(aside.rest)
        assert self.sample is not None, "a topic is not asked"
        return dry_run(self.sample), None, 0

    def state(self) -> ParkedIndex:
        """
        Tell what there is to know.
        """
        return ParkedIndex(
            self.key,
            self.why.error_type,
            self.why.reason,
            self.since_s,
            self.documents,
            self.size_bytes,
            self.blocks,
            self.spills,
        )


def topic_key(topic: str) -> str:
    """
    Name the lane of a topic.
    """
    return _TOPIC + topic


def dry_run(document: Bulk) -> Bulk:
    """
    Make a write to the index of a document that a fit index refuses as a document's fault.

    No document may hold the metadata field `_source`: 400 document_parsing_exception, and nothing
    is written. Before that the index is resolved, created where that is allowed, checked for blocks
    and privileges (create_doc is enough), and its pipeline is looked up: seen on 8.19 and 9.5. A
    mapping with `"enabled": false` at its root takes it, once.
    """
    ((_, target),) = orjson.loads(document.lines[0]).items()
    # With its pipeline: a missing one is no document's fault.
    kept = {name: target[name] for name in ("pipeline", "_index") if name in target}
    body = Body([orjson.dumps({"create": kept | {"_id": _PROBE_ID}}), b'{"_source":1}'])
    return Bulk(body, document.records, document.sections, [], [], len(body))
