"""
`@timestamp`, set in front of a document's other fields without reading or writing them again.

Kibana needs it in every index, data streams in every document.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat, zip_longest

from sink.core.instant import json_of

TIMESTAMP = "@timestamp"
QUOTE = ord('"')


class Heads(dict[int, bytes]):
    """
    What stands for the opening brace of a document, by its time: most times of a batch repeat.

    Args:
        constants: Fields besides `@timestamp`, and what they hold, as JSON.
    """

    def __init__(self, constants: Sequence[tuple[str, bytes]] = ()) -> None:
        super().__init__()
        self._constants = constants

    def __missing__(self, time_ms: int) -> bytes:
        head = self[time_ms] = self.without(time_ms, [False])
        return head

    def without(self, time_ms: int, has: Sequence[bool]) -> bytes:
        """
        Make the head of a document that has some of the fields.

        Args:
            has: For `@timestamp` and each of the constants; what is left out it has not.
        """
        fields = [(TIMESTAMP, json_of(time_ms)), *self._constants]
        missing = [pair for pair, there in zip_longest(fields, has) if not there]
        return b"{" + b"".join(b'"%b":%b,' % (name.encode(), its) for name, its in missing)


def stamp(json_object: bytes, head: bytes) -> bytes:
    """
    Put fields in front of an object's own, none of which has their name.

    Args:
        head: An opening brace, the fields and a comma.
    """
    if QUOTE not in json_object:  # no field: the comma would be one too many
        return head[:-1] + b"}"
    return json_object.replace(b"{", head, 1)


def stamp_all(json_objects: list[bytes], heads: Iterable[bytes]) -> list[bytes]:
    """
    Do `stamp` for many objects, none of them empty.

    Cost: 0.17 µs a 501-byte object, 0.05 of it for the head; to replace copies once, 0.04 less than
    to cut and to join. The copies are freed as soon as a run is joined.
    """
    return list(map(bytes.replace, json_objects, repeat(b"{"), heads, repeat(1)))
