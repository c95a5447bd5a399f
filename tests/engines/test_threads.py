"""
A system that has no thread to spare for a while: the sink works with those it has.
"""

import sys
from pathlib import Path

import pytest

from tests.engines import running
from tests.engines.oracle import check, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

# A system that gives a second worker no thread until a file is there.
_FEW_THREADS = """#!{python}
import pathlib, threading
start = threading.Thread.start
def refused(thread):
    if thread.name == "worker-1" and not pathlib.Path({file!r}).exists():
        raise RuntimeError("can't start new thread")
    start(thread)
threading.Thread.start = refused
from sink.cli import main
main()
"""


def _workers(sink: SinkProcess) -> set[int]:
    return {line["worker"] for line in sink.events("assigned") if line["partitions"]}


def test_a_worker_without_a_thread_is_said_and_gets_one_when_there_is_one(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, file = tmp_path / "sink", tmp_path / "there-are-threads"
    script.write_text(_FEW_THREADS.format(python=sys.executable, file=str(file)))
    script.chmod(0o755)
    monkeypatch.setattr(running, "SINK", script)
    setup.settings["kafka"] = running.QUICK
    create_topics(setup, {"a": 4})
    for partition in range(4):
        produce(setup, "a", numbered(10 * partition, 10), partition=partition)
    with SinkProcess(setup) as sink:
        wait_until(lambda: len(indexed_numbers(setup)) == 40, 40, "one worker to do it all")
        assert "worker-1: can't start new thread" in sink.reasons()["threads"]
        file.touch()
        sink.until_ready()
        wait_until(lambda: _workers(sink) == {0, 1}, 40, "the other to join the group")
        produce(setup, "a", numbered(100, 10))
        wait_until(lambda: len(indexed_numbers(setup)) == 50, 40, "both workers to go on")
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 50
