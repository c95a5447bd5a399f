"""
The audit's look into the dead-letter topic and the parked topic: which documents are there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from sink.config import Config
from sink.core.audit import Places, places_in
from sink.core.envelope import open_envelope
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Reader
from sink.errors import Reject


class Letters:
    """
    The dead and the parked documents of a range of a topic.

    Args:
        bounds: partition → (first offset, offset after the last) of the range.
    """

    def __init__(self, topic: str, topic_id: str, bounds: Mapping[int, tuple[int, int]]) -> None:
        self._topic = topic
        self._topic_id = topic_id
        self._bounds = bounds
        self.dead = Places()
        self.parked = Places()
        self.foreign: Counter[str] = Counter()  # topic → messages that the sink did not write

    def read(
        self, reader: Reader, config: Config, committed: Mapping[Partition, int]
    ) -> Iterator[tuple[int, int]]:
        """
        Read both topics.

        Of the parked topic only what still waits: what the group has committed there was indexed,
        dead-lettered or dropped since.

        Args:
            committed: The offsets of the group.
        Yields:
            (messages read, messages there are).
        """
        dead = reader.spans(reader.partitions(config.dead_letter_topic))
        parked = [
            span._replace(begin=max(span.begin, committed.get(span.partition, 0)))
            for span in reader.spans(reader.partitions(config.parked_topic))
        ]
        of = sum(span.offsets for span in chain(dead, parked))
        for spans, places in ((dead, self.dead), (parked, self.parked)):
            for batch in reader.batches(spans):
                self._add(batch, places)
                yield len(batch), of

    def _add(self, batch: Sequence[Record], places: Places) -> None:
        for message in batch:
            try:
                envelope = open_envelope(message)
            except Reject:
                self.foreign[message.topic() or ""] += 1
                continue
            for place in places_in(envelope, self._topic, self._topic_id):
                begin, end = self._bounds.get(place.partition, (0, 0))
                if begin <= place.offset < end:
                    places.add(place)
