"""
What a soak gave: figures, verdicts, and the file that keeps them.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

from tests.faults.mishaps import Planned
from tests.soak.sampling import Sample, Vitals

_SAMPLES_MIN = 12
# How much the last third's median may be above the first third's.
_TOLERANCE: dict[str, tuple[Callable[[Vitals], float], float]] = {
    "RSS, MiB": (lambda sink: sink.rss_mib, 16),
    "file descriptors": (lambda sink: sink.fds, 4),
    "threads": (lambda sink: sink.threads, 2),
}


@dataclass(frozen=True)
class Flat:
    """
    A figure of the sink that ran all the time: does it stay where it was?
    """

    first_third: float
    last_third: float
    most: float
    is_flat: bool


@dataclass(frozen=True)
class Soak:
    """
    All of a soak.

    Args:
        seed: Of the mishaps.
        per_s: Records a second that were wanted.
        produced_per_s: Records a second that were produced.
        drain_s: From the end of the last mishap until all was committed.
        memory_bound_mib: As the sink told at its start.
        most_mib: RSS of any sink at any time.
        caught_up_s: When the backlog of the long outage was done, since the begin.
        flat: By figure, of the sink that ran all the time, since then.
    """

    minutes: float
    seed: int
    per_s: int
    produced_per_s: float
    records: int
    missing: int
    twice: int
    too_far: int
    drain_s: float
    most_lag: int
    memory_bound_mib: int
    most_mib: float
    caught_up_s: float
    flat: dict[str, Flat]
    mishaps: list[Planned]
    samples: list[Sample] = field(repr=False)

    def findings(self) -> list[str]:
        """
        Say what does not hold; empty when all does.
        """
        counts = {"E": self.missing, "D": self.twice, "O": self.too_far}
        said = [f"{letter} is broken for {n} records" for letter, n in counts.items() if n]
        said += [
            f"{name} is not flat: {flat.first_third} at first, {flat.last_third} at last"
            for name, flat in self.flat.items()
            if not flat.is_flat
        ]
        if not self.flat:
            said.append("too little time is left after the outage's backlog: let it run for longer")
        if self.most_mib > self.memory_bound_mib:
            said.append(f"RSS {self.most_mib} MiB is over the bound, {self.memory_bound_mib}")
        if self.produced_per_s < 0.99 * self.per_s:
            said.append(
                f"the producer made {self.produced_per_s:.0f} records a second, not {self.per_s}: "
                "the machine is too slow or too busy for this soak"
            )
        return said

    def keep(self, path: Path) -> None:
        """
        Write all figures.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        everything = {"date": str(date.today()), **asdict(self)}  # noqa: DTZ011  a day for readers
        head = {key: value for key, value in everything.items() if key != "samples"}
        samples = ",\n".join(json.dumps(sample) for sample in everything["samples"])
        text = json.dumps(head, indent=1).removesuffix("\n}")
        path.write_text(f'{text},\n "samples": [\n{samples}\n]}}\n')


def caught_up_s(samples: list[Sample], outage_over_s: float, lag_max: int) -> float:
    """
    Tell when the backlog of the long outage was done: by then a sink has taken all that it takes.

    Args:
        lag_max: What counts as no backlog.
    """
    behind = (each for each in samples if each.at_s > outage_over_s and each.lag is not None)
    return next((each.at_s for each in behind if (each.lag or 0) <= lag_max), float("inf"))


def flat_figures(samples: list[Sample], since_s: float) -> dict[str, Flat]:
    """
    Compare the first third with the last, of the sink that ran all the time: number 0.

    Args:
        since_s: What was before is not looked at.
    Returns:
        By figure; nothing when there is too little to compare.
    """
    ran = [sample.sinks[0] for sample in samples if sample.at_s >= since_s and sample.sinks[0]]
    if len(ran) < _SAMPLES_MIN:
        return {}
    assert len({sink.pid for sink in ran}) == 1, "the sink that is never ended ended"
    third = len(ran) // 3
    flat = {}
    for name, (figure, tolerance) in _TOLERANCE.items():
        first = median(figure(sink) for sink in ran[:third])
        last = median(figure(sink) for sink in ran[-third:])
        most = max(figure(sink) for sink in ran)
        flat[name] = Flat(first, last, most, last <= first + tolerance)
    return flat


def most_lag(samples: list[Sample]) -> int:
    """
    Give the longest lag.
    """
    return max((sample.lag for sample in samples if sample.lag is not None), default=0)


def most_mib(samples: list[Sample]) -> float:
    """
    Give the largest RSS of any sink.
    """
    return max(sink.rss_mib for sample in samples for sink in sample.sinks if sink)
