"""
Any text, JSON or not, as one field: for sources whose lines nobody is to look into.
"""

from itertools import repeat

from sink.collectors.objects import content_of
from sink.collectors.text import FIELDS, as_text, text_document
from sink.core.collector import Batch, Collector, Drop
from sink.core.json_objects import BYTE_ORDER_MARK
from sink.core.record import Record
from sink.core.stamp import Heads


def collect(record: Record) -> bytes | Drop:
    """
    Make the document of a record.
    """
    value = content_of(record)
    return value if isinstance(value, Drop) else as_text(value, record)


def _batch(values: list[bytes], times_ms: list[int], _: str) -> list[bytes] | None:
    """
    Make the documents of many records, none of them empty or a tombstone.
    """
    if not all(values):
        return None
    contents = (value.removeprefix(BYTE_ORDER_MARK) for value in values)
    return list(map(text_document, contents, times_ms, repeat(Heads())))


def _lacking(names: tuple[str, ...]) -> Batch | None:
    return _batch if FIELDS.isdisjoint(names) else None


RAW = Collector("raw", collect, checked=True, batch=_batch, lacking=_lacking)
