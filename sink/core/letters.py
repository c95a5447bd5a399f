"""
The letters of a bulk: what is written of documents that are not indexed, and why they are not.
"""

from collections.abc import Iterable, Mapping

from sink.core.bulk import Bulk
from sink.core.collect import Rejected
from sink.core.dead_letter import DeadLetter, target_of
from sink.core.outcome import Verdict
from sink.core.record import Element


def letters_of_dead(bulk: Bulk, verdicts: Mapping[int, Verdict], attempts: int) -> list[DeadLetter]:
    """
    Make the dead letters of documents that Elasticsearch refused: position → verdict.
    """
    topic_ids = [section.bound.topic_id for section in bulk.places()]
    return [
        _letter(bulk, position, "index", verdict, topic_ids[position], attempts)
        for position, verdict in verdicts.items()
    ]


def letters_of_parked(bulk: Bulk, why: Verdict) -> list[DeadLetter]:
    """
    Make the letters of a bulk whose index takes no documents for the time being.
    """
    return [
        _letter(bulk, position, "park", why, section.bound.topic_id, 0)
        for position, section in enumerate(bulk.places())
    ]


def letters_of_rejected(rejected: Iterable[Rejected]) -> list[DeadLetter]:
    """
    Make the letters of records that became no document, whether dead or parked.
    """
    return [
        DeadLetter(
            each.record,
            "collect" if each.index is None else "index",
            each.error_type,
            each.reason,
            index=each.index,
            id=each.id,
            positions=each.positions,
            topic_id=each.topic_id,
        )
        for each in rejected
    ]


def _letter(
    bulk: Bulk, position: int, stage: str, verdict: Verdict, topic_id: str, attempts: int
) -> DeadLetter:
    index, document_id = target_of(bulk.lines[2 * position])
    record = bulk.records[position]
    return DeadLetter(
        record,
        stage,
        verdict.error_type,
        verdict.reason,
        attempts=attempts,
        index=index,
        id=document_id,
        positions=(record.position,) if isinstance(record, Element) else (),
        topic_id=topic_id,
    )
