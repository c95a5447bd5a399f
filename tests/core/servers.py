"""
Model servers that take bulks, and one who sends to them without a pause: no time passes.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

_SENDER_S = 0.003  # to make the next bulk


class Limit(Protocol):
    """
    How many bulks may be under way: `Concurrency`, or a fixed number.
    """

    @property
    def limit(self) -> int: ...
    def answered(self, took_s: float, *, in_flight: int, is_full: bool, refused: bool) -> None: ...


@dataclass(frozen=True)
class Fixed:
    """
    Always so many.
    """

    limit: int

    def answered(self, took_s: float, *, in_flight: int, is_full: bool, refused: bool) -> None:
        """
        Learn nothing.
        """


# (seconds since the begin, bulks under way with this one, chance) → seconds until it is answered;
# None: it is refused.
Server = Callable[[float, int, Random], float | None]
_REFUSAL_S = 0.02


def distant(answer_s: float) -> Server:
    """
    Answers each after the same time, however many there are.
    """
    return lambda _, __, chance: answer_s * chance.uniform(0.9, 1.1)


@dataclass
class Workers:
    """
    Answers with so many at work, the others wait in the order they came.
    """

    count: int
    work_s: float
    _free_s: list[float] = field(default_factory=list)

    def __call__(self, now_s: float, _: int, chance: Random) -> float:
        """
        Answer one.
        """
        if not self._free_s:
            self._free_s = [0.0] * self.count
        self._free_s.sort()
        end_s = max(now_s, self._free_s[0]) + self.work_s * chance.uniform(0.8, 1.2)
        self._free_s[0] = end_s
        return end_s - now_s


def stalling(server: Server, every_s: float, stall_s: float) -> Server:
    """
    Does nothing at the end of each period (garbage collection, a full disk queue).
    """

    def answer(now_s: float, in_flight: int, chance: Random) -> float | None:
        took_s = server(now_s, in_flight, chance)
        assert took_s is not None
        period_end_s = (now_s // every_s + 1) * every_s
        if now_s + took_s > period_end_s - stall_s:
            took_s += period_end_s - max(now_s, period_end_s - stall_s)
        return took_s

    return answer


def crowded(room: int, answer_s: float) -> Server:
    """
    Does less in all when there are more than it has room for.
    """
    return lambda _, n, chance: answer_s * max(1.0, n / room) ** 2 * chance.uniform(0.95, 1.05)


def refusing(room: int, answer_s: float) -> Server:
    """
    Refuses what it has no room for.
    """
    return lambda _, n, chance: answer_s * chance.uniform(0.9, 1.1) if n <= room else None


def bulks_per_s(server: Server, limit: Limit, seconds: float = 300.0) -> float:
    """
    Send to a server as fast as it takes, and give the rate of accepted bulks.
    """
    now_s, next_s, accepted, chance = 0.0, 0.0, 0, Random(1)
    under_way: list[tuple[float, float, bool]] = []  # when it is answered, was sent; whether taken
    while now_s < seconds:
        while len(under_way) < limit.limit and next_s <= now_s:
            took_s = server(now_s, len(under_way) + 1, chance)
            end_s = now_s + (_REFUSAL_S if took_s is None else took_s)
            heapq.heappush(under_way, (end_s, now_s, took_s is not None))
            next_s = now_s + _SENDER_S
        if len(under_way) < limit.limit and (not under_way or next_s < under_way[0][0]):
            now_s = next_s
            continue
        now_s, sent_s, taken = heapq.heappop(under_way)
        accepted += taken
        in_flight = len(under_way) + 1
        is_full = in_flight >= limit.limit
        limit.answered(now_s - sent_s, in_flight=in_flight, is_full=is_full, refused=not taken)
    return accepted / seconds
