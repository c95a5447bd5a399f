"""
Plays a scenario: bounded in time, judged, its row made whatever happens.
"""

import shutil
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.faults.result import Row, Verdict
from tests.faults.scenario import Scenario
from tests.faults.stage import Engines, Stage


def play(scenario: Scenario, seed: int, folder: Path, engines: Engines) -> Row:
    """
    Play a scenario once, from the main thread.

    Args:
        folder: Where logs and configurations go: `<key>-<seed>` in it is made anew.
    """
    place = folder / f"{scenario.key}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    engines.revive()
    stage = Stage(scenario.key, seed, place, engines)
    began, said = time.monotonic(), ""
    try:
        with _bounded(scenario.timeout_s):
            scenario.play(stage)
        assert stage.judged, "the scenario ended without a judgement"
    except (Exception, SystemExit) as failure:
        said = f"{type(failure).__name__}: {failure}".splitlines()[0]
        (place / "failure.txt").write_text(traceback.format_exc())
    finally:
        stage.close()
    tally, took_s = stage.tally, time.monotonic() - began
    return Row(
        scenario.key,
        seed,
        _verdict(scenario, said),
        tally.records,
        tally.missing,
        tally.twice,
        tally.too_far,
        stage.recover_s,
        took_s,
        "; ".join(stage.notes),
        said,
    )


def _verdict(scenario: Scenario, said: str) -> Verdict:
    if not said:
        return Verdict.GREEN
    return Verdict.OPEN if scenario.still_open else Verdict.RED


@contextmanager
def _bounded(timeout_s: int) -> Iterator[None]:
    """
    Raise TimeoutError in the main thread when the time is over.
    """

    def over(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"not through within {timeout_s} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(timeout_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
