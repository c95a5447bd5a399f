"""
What a network may do to the connections that go through it.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Weather:
    """
    What the network does to connections; each connection obeys the newest at once.

    Args:
        latency_s: On the way there and on the way back, each.
        jitter_s: Up to so much more, by chance; the order of bytes stays.
        bytes_per_s: In each direction of a connection; None: as fast as it goes.
        to_server: False: what the client sends is taken and held (half-open).
        to_client: False: what the server sends is held (half-open).
        refuses: Nobody listens.
        lost: Share of answers whose first byte closes the connection: the server did its work.
        cut: Share of answers that are cut in the middle.
        cut_after: Bytes of an answer that pass before it is cut.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: int | None = None
    to_server: bool = True
    to_client: bool = True
    refuses: bool = False
    lost: float = 0.0
    cut: float = 0.0
    cut_after: int = 0

    def delay_s(self, random: Random) -> float:
        """
        Draw how long a chunk is under way.
        """
        return self.latency_s + random.random() * self.jitter_s

    def passes(self, random: Random) -> int | None:
        """
        Draw how many bytes of an answer that begins may pass; None: all.
        """
        drawn = random.random()
        if drawn < self.lost:
            return 0
        return self.cut_after if drawn < self.lost + self.cut else None


FAIR = Weather()
