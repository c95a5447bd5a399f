"""
Commits what is settled: without waiting while it runs, and once for all before partitions are left.
"""

import time
from collections.abc import Iterable
from contextlib import suppress

import structlog

from sink.core.offsets import OffsetTracker
from sink.core.record import Partition
from sink.errors import Unavailable
from sink.reading.intake import RecordSource

log = structlog.get_logger()

_ANSWER_S = 1.0
_POLL_S = 0.05


class Committing:
    """
    The commits of one worker. Its thread owns it.
    """

    def __init__(self, number: int, tracker: OffsetTracker) -> None:
        self._tracker = tracker
        # What a commit that was waited for has stored: (epoch, offset).
        self._stored: dict[Partition, tuple[int | None, int]] = {}
        self._log = log.bind(worker=number)

    def go_on(self, source: RecordSource) -> None:
        """
        Commit what is settled, without waiting, one commit after the other.

        What was refused before is tried again.
        """
        refused = source.refused()
        if refused:
            self._tracker.uncommitted(refused)
            self._log.warning("commit refused, it is tried again", partitions=shown(refused))
        offsets = {} if source.is_committing() else self._tracker.committable()
        if offsets:
            source.commit(offsets)
            self._tracker.committed(offsets)

    def await_answer(self, source: RecordSource, within_s: float) -> None:
        """
        Wait for the answer to the last commit: it could undo the one that follows.

        What is polled meanwhile is not tracked, so it is read again.
        """
        until_s = time.monotonic() + min(_ANSWER_S, within_s)
        while source.is_committing() and time.monotonic() < until_s:
            with suppress(Unavailable):
                source.poll(1, _POLL_S)

    def finish(self, source: RecordSource, partitions: Iterable[Partition]) -> None:
        """
        Commit what is settled of some partitions, and wait until it is stored.

        What was stored so already is not stored again: the group may have gone on without us.
        """
        wanted = set(partitions)
        self._tracker.uncommitted(wanted)  # the last commit without waiting may still fail
        offsets = {
            partition: offset
            for partition, offset in self._tracker.committable().items()
            if partition in wanted and self._stored.get(partition) != self._entry(partition, offset)
        }
        refused = source.commit_now(offsets)
        for partition, reason in refused.items():
            self._log.warning("not committed, read again", partition=partition, why=reason)
        self._stored |= {p: self._entry(p, o) for p, o in offsets.items() if p not in refused}

    def _entry(self, partition: Partition, offset: int) -> tuple[int | None, int]:
        return self._tracker.epoch(partition), offset


def shown(partitions: Iterable[Partition]) -> list[str]:
    """
    Name partitions as the log has them: topic/number.
    """
    return [f"{topic}/{number}" for topic, number in partitions]
