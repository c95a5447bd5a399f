"""
The audit's look into the dead-letter topic and the parked topic: which documents are there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain

from sink.config import Config
from sink.core.audit import Place, Places, places_in
from sink.core.audit_parked import ParkedDocuments
from sink.core.command import decision_of, is_command
from sink.core.envelope import Envelope, open_envelope
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
        self.parked = ParkedDocuments()
        self.foreign: Counter[str] = Counter()  # topic → messages that the sink did not write

    def read(
        self, reader: Reader, config: Config, committed: Mapping[Partition, int]
    ) -> Iterator[tuple[int, int]]:
        """
        Read both topics, whole: what operators decided stands behind the documents it is about.

        Args:
            committed: The offsets of the group.
        Yields:
            (messages read, messages there are).
        """
        dead = reader.spans(reader.partitions(config.dead_letter_topic))
        parked = reader.spans(reader.partitions(config.parked_topic))
        of = sum(span.offsets for span in chain(dead, parked))
        for batch in reader.batches(dead):
            for letter in batch:
                for _, place in self._places(letter):
                    self.dead.add(place)
            yield len(batch), of
        for batch in reader.batches(parked):
            for message in batch:
                self._add_parked(message, committed)
            yield len(batch), of

    def _add_parked(self, message: Record, committed: Mapping[Partition, int]) -> None:
        partition = Partition(message.topic() or "", message.partition() or 0)
        if is_command(message):
            decision = decision_of(message)
            if decision is not None:
                self.parked.decide(partition.number, decision)
            return
        waits = (message.offset() or 0) >= committed.get(partition, 0)
        for envelope, place in self._places(message):
            self.parked.add(partition.number, envelope, place, waits=waits)

    def _places(self, message: Record) -> Iterator[tuple[Envelope, Place]]:
        """
        Give the documents of the range that a letter is for.
        """
        try:
            envelope = open_envelope(message)
        except Reject:
            self.foreign[message.topic() or ""] += 1
            return
        for place in places_in(envelope, self._topic, self._topic_id):
            begin, end = self._bounds.get(place.partition, (0, 0))
            if begin <= place.offset < end:
                yield envelope, place
