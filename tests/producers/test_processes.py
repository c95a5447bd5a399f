"""
The real client in processes of their own: imports, forks, ends of interpreters. No Kafka is needed.
"""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 60
_ONLY = {"confluent_kafka", "sink", "sink.producer", "sink.appender"}

_BEGIN = """
import logging, os, sys
from sink.appender import KafkaHandler
handler = KafkaHandler("127.0.0.1:1", "orders", close_timeout_s=0.2)
log = logging.getLogger("app")
log.addHandler(handler)
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """
    Run a program. One that does not end by itself fails the test.
    """
    return subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(code)],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def test_both_are_imported_with_nothing_but_the_kafka_client_installed() -> None:
    done = run(
        f"""
        import importlib.abc, json, sys

        class Missing(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                inside = name in {_ONLY!r} or name.startswith("sink.producer.")
                if top in sys.stdlib_module_names or top == "confluent_kafka" or inside:
                    return None
                raise ModuleNotFoundError(f"{{name}} is not installed here", name=name)

        sys.meta_path.insert(0, Missing())
        import sink.appender, sink.producer
        for absent in ("elasticsearch", "pydantic", "click", "structlog", "orjson", "sink.config"):
            try:
                __import__(absent)
            except ModuleNotFoundError:
                continue
            raise SystemExit(absent + " should have been missing")
        sink.appender.KafkaHandler("127.0.0.1:1", "orders", close_timeout_s=0).close()
        sink.appender.KafkaProcessor("127.0.0.1:1", "orders", close_timeout_s=0).close()
        """
    )

    assert done.returncode == 0, done.stderr


def test_the_end_of_the_interpreter_waits_within_the_bound_and_says_what_is_lost() -> None:
    done = run(
        _BEGIN
        + textwrap.dedent("""
        log.error("x")
        log.error("y")
        while not handler._producer._complaint:  # that Kafka is away was not noticed yet
            handler._producer.flush(0.05)
        """)
    )

    assert done.returncode == 0
    assert "2 log records lost, 2 since the start (closed before delivery: 2)" in done.stderr
    # The reason, from librdkafka: without it nobody knows what to mend.
    assert "127.0.0.1:1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_finalizer_that_logs_at_the_end_of_the_interpreter_does_no_harm() -> None:
    done = run(
        _BEGIN
        + textwrap.dedent("""
        class Dying:
            def __del__(self):
                log.error("dying")
        sys.kept_to_the_last = Dying()
        """)
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_what_other_functions_log_at_the_end_of_the_interpreter_is_still_sent() -> None:
    """Those registered before the handler was made run after those registered later."""
    early = "import atexit, logging\natexit.register(lambda: log.error('at the end'))\n"
    done = run(early + _BEGIN)

    assert "1 log records lost, 1 since the start (closed before delivery: 1)" in done.stderr


@pytest.mark.parametrize("ends_by", ["sys.exit(0)", "os._exit(0)"])
def test_a_forked_child_has_a_client_of_its_own_and_ends(ends_by: str) -> None:
    """The parent's has no threads in the child: what is handed to it would never be sent."""
    done = run(
        _BEGIN
        + textwrap.dedent(f"""
        log.error("of the parent")
        parents = handler._producer._client
        child = os.fork()
        if child == 0:
            print(handler.counts())
            log.error("of the child")
            assert handler._producer._client is not parents
            print(handler.counts(), flush=True)
            del parents
            {ends_by}
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(handler.counts())
        """)
    )

    assert done.returncode == 0, done.stderr
    child, later, parent = done.stdout.splitlines()
    assert child == "Counts(delivered=0, waiting=0, lost=0)"
    assert later == "Counts(delivered=0, waiting=1, lost=0)"
    assert parent == "Counts(delivered=0, waiting=1, lost=0)"


def test_a_fork_while_another_thread_logs_leaves_the_child_able_to_log() -> None:
    done = run(
        _BEGIN
        + textwrap.dedent("""
        import threading
        ended = threading.Event()
        def busy():
            while not ended.is_set():
                log.error("busy")
        thread = threading.Thread(target=busy, daemon=True)
        thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                log.error("of the child")
                os._exit(handler.counts().waiting != 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ended.set()
        thread.join()
        """),
        "-W",
        "ignore",  # Python 3.12 warns of forks beside threads: that is the point
    )

    assert done.returncode == 0, done.stderr


def test_a_worker_of_multiprocessing_is_closed_at_its_end() -> None:
    """It skips atexit, and what it logged last would be gone without a word."""
    done = run(
        _BEGIN
        + textwrap.dedent("""
        import multiprocessing
        worker = multiprocessing.get_context("fork").Process(target=log.error, args=("x",))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
        """),
        "-W",
        "ignore",
    )

    assert done.returncode == 0, done.stderr
    assert "1 log records lost, 1 since the start (closed before delivery: 1)" in done.stderr


def test_a_producer_by_itself_is_closed_at_the_end_of_the_interpreter() -> None:
    done = run(
        """
        from sink.producer import Producer
        producer = Producer("127.0.0.1:1", close_timeout_s=0.1)
        assert producer.send("orders", {"a": 1})
        """
    )

    assert done.returncode == 0, done.stderr
    assert "1 log records lost" in done.stderr


def test_real_bounds_in_count_and_in_bytes() -> None:
    done = run(
        """
        import json
        from sink.producer import Producer
        by_count = Producer("127.0.0.1:1", queue_records_max=100, close_timeout_s=0)
        by_bytes = Producer("127.0.0.1:1", queue_kbytes_max=100, close_timeout_s=0)
        taken = sum(by_count.send("orders", b"x") for _ in range(1000))
        kbytes = sum(by_bytes.send("orders", b"x" * 1024) for _ in range(1000))
        print(json.dumps([taken, by_count.counts().lost, kbytes, by_bytes.counts().lost]))
        """
    )

    assert done.returncode == 0, done.stderr
    taken, refused, kbytes, too_many = json.loads(done.stdout)
    assert (taken, refused) == (100, 900)
    assert 90 <= kbytes <= 101
    assert too_many == 1000 - kbytes
