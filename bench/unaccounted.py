"""
`sink run` without its account: no tracking of offsets, no ledger, no commit.

Beside the sink as it is, it tells what these cost. It would lose records: a measure, not a program
to use. It is run as a script: `python -P bench/unaccounted.py run -c FILE`.
"""

# ruff: noqa: ARG002 - a stub takes what it stands for takes

from collections.abc import Iterable, Mapping

from sink.cli import main
from sink.core.bulk import Bulk
from sink.core.ledger import Account, Ledger
from sink.core.offsets import OffsetTracker, Ticket
from sink.core.record import Partition
from sink.core.tally import Progress, Tally
from sink.reading import worker
from sink.reading.committing import Committing
from sink.reading.intake import RecordSource
from sink.writing import writer


class _NoTracker(OffsetTracker):
    """
    Knows whose the partitions are, and nothing of their records.
    """

    def track(self, partition: Partition, first: int, next_offset: int, parts: int) -> Ticket:
        return _TICKET

    def passed(self, partition: Partition, end: int) -> bool:
        return False

    def settle(self, ticket: Ticket) -> bool:
        return True

    def committable(self) -> dict[Partition, int]:
        return {}

    def uncommitted(self, partitions: Iterable[Partition]) -> None:
        pass


class _NoLedger(Ledger):
    """
    Counts nothing.
    """

    def consumed(self, topic: str, documents: int, dropped: Mapping[str, int]) -> None:
        pass

    def settled(self, fates: Mapping[tuple[str, str], int]) -> None:
        pass

    def publish(self) -> Account:
        return {}


class _NoCommitting(Committing):
    """
    Commits nothing.
    """

    def go_on(self, source: RecordSource) -> None:
        pass

    def await_answer(self, source: RecordSource, within_s: float) -> None:
        pass

    def finish(self, source: RecordSource, partitions: Iterable[Partition]) -> None:
        pass


class _NoTally(Tally):
    """
    Settles no ticket: nobody waits for one.
    """

    def __init__(self, tickets: Iterable[Ticket]) -> None:
        super().__init__(())

    def moved(self) -> list[Ticket]:
        return []


def _note(self: Progress, part: Bulk, fate: str) -> None:
    pass


_TICKET = Ticket(Partition("", 0), 0, 0, 1, 0)
_STUBS = {
    (worker, "OffsetTracker"): _NoTracker,
    (worker, "Ledger"): _NoLedger,
    (worker, "Committing"): _NoCommitting,
    (writer, "Tally"): _NoTally,
    (Progress, "note"): _note,
}


def _install() -> None:
    """
    Put each stub in the place of what it stands for.

    Raises:
        AttributeError: The sink has no such thing any more: the figure would be wrong.
    """
    for (place, name), stub in _STUBS.items():
        getattr(place, name)
        setattr(place, name, stub)


if __name__ == "__main__":
    _install()
    main()
