"""
Bulks by hand: a document for each number, of runs and indices that a test names.
"""

from sink.core.body import Body
from sink.core.bulk import Bound, Bulk, Section
from sink.core.offsets import Ticket
from sink.core.record import Partition, Record
from sink.testing import FakeRecord


def ticket_of(topic: str, first: int = 0, parts: int = 1) -> Ticket:
    return Ticket(Partition(topic, 0), 1, first, first + 100, parts)


def bulk_of(*shares: tuple[str, Ticket, int]) -> Bulk:
    """
    Make a bulk of documents: an index, a run and a number of documents each.

    The topic a document is from is that of its run; its source tells its offset.
    """
    lines: list[bytes] = []
    records: list[Record] = []
    sections: list[Section] = []
    tickets: list[Ticket] = []
    offsets: dict[int, int] = {}  # of the next document of a run
    for index, ticket, documents in shares:
        topic, number = ticket.partition
        if not any(ticket is known for known in tickets):
            tickets.append(ticket)
        sections.append(Section(Bound(index, topic, f"id.{topic}"), documents, ticket))
        begin = offsets.get(id(ticket), ticket.first)
        offsets[id(ticket)] = begin + documents
        for offset in range(begin, begin + documents):
            id_ = f"id.{topic}-{number}-0-{offset}"
            lines += [
                b'{"create":{"_index":"%b","_id":"%b"}}' % (index.encode(), id_.encode()),
                b'{"n":%d}' % offset,
            ]
            records.append(FakeRecord(topic, number, offset, lines[-1], key=b"k"))
    body = Body(lines)
    return Bulk(body, records, sections, [], tickets, len(body))
