"""
What an application's producer has lost, by reason, and the line that says so.
"""

import contextlib
import sys
import threading
import time
from collections import Counter

_SAY_EVERY_S = 60.0
_REASONS_MAX = 100  # there are few; the memory is bounded all the same


class Losses:
    """
    Counts lost records by reason, and says so on standard error at most once a minute.
    """

    def __init__(self) -> None:
        # Reentrant: a finalizer may log, and lose its record, while its thread is in here.
        self._lock = threading.RLock()
        self._reasons: Counter[str] = Counter()
        self._said = 0
        self._next_s = 0.0  # monotonic

    @property
    def total(self) -> int:
        """
        Tell how many are lost.
        """
        with self._lock:
            return self._reasons.total()

    def add(self, reason: str, records: int = 1) -> None:
        """
        Count some.
        """
        with self._lock:
            room = reason in self._reasons or len(self._reasons) < _REASONS_MAX
            self._reasons[reason if room else "other"] += records

    def say(self, complaint: str, *, last: bool = False) -> None:
        """
        Write one line if there is news, and the last one is a minute ago.

        Args:
            complaint: Of the client, the last one.
            last: No later call comes.
        """
        with self._lock:
            total, now_s = self._reasons.total(), time.monotonic()
            if total == self._said or (now_s < self._next_s and not last):
                return
            new, self._said, self._next_s = total - self._said, total, now_s + _SAY_EVERY_S
            why = ", ".join(f"{reason}: {n}" for reason, n in self._reasons.most_common(5))
        line = f"sink.producer: {new} log records lost, {total} since the start ({why})"
        # Not sys.stderr: some redirect it to logging, and each loss would make a record.
        if sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError):  # closed: there is nobody to tell
                print(f"{line}; {complaint}"[:1000], file=sys.__stderr__, flush=True)
