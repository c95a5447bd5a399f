"""
How many bulks are sent at a time: as few as give the best rate that Elasticsearch has to offer.

Additive increase, multiplicative decrease, a round at a time; a round is as many answers as bulks
may be under way. One more is tried, and kept where it raised the rate; refusals with 429 take a
quarter away. Tests hold it against every fixed number on servers that are fast, slow, serial,
stalling, crowded and refusing.
"""

from statistics import median_low

_BEGIN = 2
_SHRINK = 0.75
# One more is worth its memory where it raises the rate so much.
_WORTH = 1.03
# Only refusals leave one: with two, one is on its way while the answer to the other is read.
_RATED_MIN = 2
_LEARN = 0.5  # how much a round changes what is known of its number
# So many rounds pass before what was too many is tried again, and twice as many each time that as
# many are in vain: a try costs what it loses, and others on the cluster what it refuses.
_PATIENCE_ROUNDS = 15
_PATIENCE_ROUNDS_MAX = 120


class Concurrency:
    """
    The number of bulks under way that is allowed now. The sender's loop owns it.

    Args:
        most: Never more than this.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = min(_BEGIN, most)
        self._rates: dict[int, float] = {}  # bulks under way → answers a second
        self._too_many = most + 1  # proved to be so last
        self._patience = 0  # rounds until it is tried again
        self._next_patience = _PATIENCE_ROUNDS
        self._stale = 0  # answers to come of bulks that were sent before it changed
        self._took_s: list[float] = []  # of this round
        self._last_s: float | None = None  # mean of the round before, of the same number

    def answered(self, took_s: float, *, in_flight: int, is_full: bool, refused: bool) -> None:
        """
        Learn from an answer.

        Args:
            took_s: From sending to the answer.
            in_flight: Bulks under way when it came, its own included.
            is_full: As many were under way as may be, or more wait for it.
            refused: Documents of it were refused because the cluster has too much to do.
        """
        if self._stale:
            self._stale -= 1
        elif refused:
            self._shrink(max(1, int(self.limit * _SHRINK)), in_flight)
        elif is_full:  # fewer tell nothing of what so many do
            self._took_s.append(took_s)
            if len(self._took_s) >= self.limit:
                self._end_round(in_flight)

    def _end_round(self, in_flight: int) -> None:
        round_s = median_low(self._took_s)
        self._took_s.clear()
        last_s, self._last_s = self._last_s, round_s
        if last_s is None:  # the first of its number: two are compared, for one may meet a stall
            return
        rate = self.limit / max(min(round_s, last_s), 1e-6)
        known = self._rates.get(self.limit, rate)
        self._rates[self.limit] = rate = known + _LEARN * (rate - known)
        fewer = self._rates.get(self.limit - 1) if self.limit > _RATED_MIN else 0.0
        if fewer is None:  # nobody has tried yet
            self._change(self.limit - 1, in_flight)
        elif rate < _WORTH * fewer:
            self._shrink(self.limit - 1, in_flight)
        elif self._patience and self.limit + 1 >= self._too_many:
            self._patience -= 1
        else:
            self._grow(in_flight)

    def _grow(self, in_flight: int) -> None:
        if self.limit >= self._too_many:  # it is not any more
            self._too_many, self._next_patience = self._most + 1, _PATIENCE_ROUNDS
        if self.limit < self._most:
            self._change(self.limit + 1, in_flight)

    def _shrink(self, limit: int, in_flight: int) -> None:
        self._patience = self._next_patience
        if self.limit >= self._too_many:  # fewer tell of a server that is not what it was
            self._next_patience = min(2 * self._next_patience, _PATIENCE_ROUNDS_MAX)
        self._too_many = self.limit
        self._change(limit, in_flight)

    def _change(self, limit: int, in_flight: int) -> None:
        self.limit = limit
        self._stale = in_flight - 1
        self._took_s.clear()
        self._last_s = None
