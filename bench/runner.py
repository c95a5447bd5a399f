"""
Runs one candidate over all records, as a fresh process, and measures it.

Ends every process it starts, by its id, whatever happens.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import measure
from bench.candidates import Candidate, Place
from bench.course import Course
from bench.null_server import Counted, NullElasticsearch
from engines.spawn import spawn

_SLICE_MS = 500  # how often the progress bar moves
_SETTLE_S = 2.5  # a count that still grows after the last document is a finding
_FIRST_BULK_S = 60
_SLOWEST_PER_S = 5_000  # records; a run that is slower is given up
_STOP_S = 40


class RunFailed(Exception):
    """
    A candidate did not do what it is measured for: its figures would mean nothing.
    """


def run(course: Course, candidate: Candidate, number: int, *, strict: bool) -> measure.Sample:
    """
    Let a candidate move all records once.

    Args:
        number: Of the run; with the candidate's name it makes the group's.
        strict: Have every line of every bulk checked, for a run whose figures are not used.
    Raises:
        RunFailed: It ended early, stood still, sent too many documents or bad ones, or would not
            end.
    """
    name = f"{candidate.name}-{number}"
    folder = course.folder / name
    folder.mkdir()
    load = os.getloadavg()[0]
    with NullElasticsearch(
        course.null_elasticsearch,
        folder / "null_elasticsearch.log",
        strict=strict,
        apart=course.apart,
        block=candidate.blocks,
        delay_ms=candidate.delay_ms,
    ) as server:
        place = Place(course.bootstrap_servers, server.address, f"bench-{name}", folder)
        with started(name, candidate.command(place), folder / "output.log") as process:
            running = _Running(name, process, folder / "output.log", server)
            running.until(1, _FIRST_BULK_S, lambda _: None)
            start_cpu_s = measure.cpu_s(process.pid)
            wait_s = _FIRST_BULK_S + course.documents / _SLOWEST_PER_S
            running.until(course.documents, wait_s, course.progress)
            cpu_s = measure.cpu_s(process.pid)
            counted = running.settled(course.documents, blocks=candidate.blocks)
            rss_mib = measure.rss_mib(process.pid)
    return measure.Sample(
        cpu_s=cpu_s,
        start_cpu_s=start_cpu_s,
        wall_s=(counted["last_ns"] - counted["first_ns"]) / 1e9,
        rss_mib=rss_mib,
        bulks=counted["bulks"],
        load=load,
    )


def in_turns(
    course: Course, candidates: Sequence[Candidate], turns: int
) -> dict[str, list[measure.Sample]]:
    """
    Let candidates take turns; each turn begins with another, so that none is always the last.

    Returns:
        By candidate, in the order of the turns: those of one turn are a pair.
    Raises:
        RunFailed: See `run`.
    """
    samples: dict[str, list[measure.Sample]] = {each.name: [] for each in candidates}
    run(course, candidates[0], 0, strict=True)  # warms up broker and caches
    for number in range(1, turns + 1):
        first = number % len(candidates)
        for candidate in [*candidates[first:], *candidates[:first]]:
            samples[candidate.name].append(run(course, candidate, number, strict=False))
    return samples


class _Running(NamedTuple):
    """
    A candidate at work, seen through what arrives at Elasticsearch.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    server: NullElasticsearch

    def until(self, docs: int, wait_s: float, progress: Callable[[int], object]) -> None:
        """
        Wait until so many documents have come.
        """
        deadline = time.monotonic() + wait_s
        seen = 0
        while seen < docs:
            if time.monotonic() > deadline:
                raise self._failed(f"stood still after {seen} documents")
            before, seen = seen, min(self.server.counted(docs, _SLICE_MS)["docs"], docs)
            progress(seen - before)
            self._must_run()

    def settled(self, documents: int, *, blocks: bool) -> Counted:
        """
        Make sure that no document comes after the last one, none was bad, and the block was met.
        """
        counted = self.server.counted(documents + 1, round(_SETTLE_S * 1000))
        self._must_run()
        if counted["docs"] != documents:
            raise self._failed(f"sent {counted['docs']} documents for {documents} records")
        if bool(counted["blocked"]) != blocks:
            raise self._failed(f"had {counted['blocked']} documents refused by a write block")
        if counted["bad"]:
            raise self._failed(f"sent {counted['bad']} lines that Elasticsearch would refuse")
        return counted

    def _must_run(self) -> None:
        code = self.process.poll()
        if code is not None:
            raise self._failed(f"ended by itself with code {code}")

    def _failed(self, what: str) -> RunFailed:
        words = self.log.read_text(errors="replace")[-2_000:].strip() or "nothing"
        return RunFailed(f"{self.name} {what}; it said: {words}")


@contextmanager
def started(name: str, command: list[str], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """
    Start a process, and end it in order; one that does not end in time is a failure.
    """
    process = spawn(command, log, {}, outlive=False)
    try:
        yield process
        process.terminate()
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired as late:
        raise RunFailed(f"{name} did not end within {_STOP_S} s of SIGTERM: {late}") from late
    finally:
        process.kill()
        process.wait()
