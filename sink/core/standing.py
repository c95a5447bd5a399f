"""
Where a consumer group stands in a partition, and what setting its offset means.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from sink.core.record import Partition


class Standing(NamedTuple):
    """
    Where the group stands in a partition.

    Args:
        committed: None where it has committed no offset.
        begin: The log's first offset.
        end: The offset after the log's last.
        member: Who has the partition now; empty where nobody has it.
    """

    partition: Partition
    committed: int | None
    begin: int
    end: int
    member: str = ""

    @property
    def lag(self) -> int | None:
        """
        How many offsets of the log are not committed yet.
        """
        if self.committed is None:
            return None
        return max(0, self.end - max(self.committed, self.begin))

    @property
    def state(self) -> str:
        """
        Say what is out of the ordinary; empty where nothing is.
        """
        if self.committed is None:
            return "never committed: begins at its first record (a new group: at kafka.start)"
        return out_of_range(self.committed, self.begin, self.end)


class Move(NamedTuple):
    """
    What is to be done with the offset of a partition.

    Args:
        after: None where it stays as it is.
        why: What follows from it, or why it stays.
    """

    partition: Partition
    before: int | None
    after: int | None
    why: str

    @property
    def is_change(self) -> bool:
        """
        Tell whether the offset will be another.
        """
        return self.after is not None and self.after != self.before


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be done with the offsets of a group.

    Args:
        obstacles: Why it cannot be done; empty when it can.
        left_out: Topics of another group that no route reads.
    """

    group: str
    moves: list[Move]
    obstacles: list[str]
    left_out: list[str] = field(default_factory=list)

    @property
    def offsets(self) -> dict[Partition, int]:
        """
        The offsets that change.
        """
        return {m.partition: m.after for m in self.moves if m.is_change and m.after is not None}


def out_of_range(offset: int, begin: int, end: int) -> str:
    """
    Say where an offset lies that is not in the log; empty where it is.
    """
    if offset < begin:
        return f"behind the log's start: {begin - offset} records would expire"
    return f"beyond the log's end by {offset - end}" if offset > end else ""


def consequence(before: int | None, begin: int, after: int) -> str:
    """
    Say what setting an offset means for the records of a partition.

    Args:
        begin: The log's first offset: what is before it can be neither read nor skipped.
    """
    if before is None:
        return ""
    records = after - max(before, begin)
    if records == 0:
        return "as it is" if before == after else "at the log's start"
    return f"skips {records} records" if records > 0 else f"reads {-records} records again"
