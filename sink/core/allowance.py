"""
How many dead letters a topic may make: a bucket that fills steadily and holds a minute's worth.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Allowance:
    """
    Counts the dead letters of each topic against a rate. The event loop owns it.

    Args:
        per_minute: Dead letters of one topic; None for no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, _Bucket] = {}

    def take(self, topic: str, wanted: int, now_s: float) -> int:
        """
        Take what is allowed of some dead letters.

        Args:
            now_s: Of any clock that never goes back.
        Returns:
            How many may be written now.
        """
        if self._per_minute is None:
            return wanted
        bucket = self._filled(topic, self._per_minute, now_s)
        granted = min(wanted, int(bucket.left))
        bucket.left -= granted
        return granted

    def is_ample(self, topic: str, now_s: float) -> bool:
        """
        Tell whether a topic that ran out may begin again: it has half of a minute's worth.
        """
        if self._per_minute is None:
            return True
        return self._filled(topic, self._per_minute, now_s).left >= self._per_minute / 2

    def _filled(self, topic: str, per_minute: int, now_s: float) -> _Bucket:
        bucket = self._buckets.setdefault(topic, _Bucket(per_minute, now_s))
        gained = (now_s - bucket.at_s) * per_minute / 60
        bucket.left, bucket.at_s = min(per_minute, bucket.left + gained), now_s
        return bucket
