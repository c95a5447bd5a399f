"""
Whether it is ready, and why not.
"""

import threading

from structlog.testing import capture_logs

from sink.edge.readiness import Readiness


def test_it_is_ready_when_no_part_lacks_anything() -> None:
    readiness = Readiness()
    readiness.lacks("kafka", "no broker")
    readiness.lacks("elasticsearch", "503")
    assert readiness.reasons() == {"kafka": "no broker", "elasticsearch": "503"}

    readiness.has("kafka")
    assert readiness.reasons() == {"elasticsearch": "503"}

    readiness.has("elasticsearch")
    assert readiness.reasons() == {}


def test_the_last_reason_of_a_part_is_the_one_that_is_told() -> None:
    readiness = Readiness()
    readiness.lacks("kafka", "no broker")
    readiness.lacks("kafka", "wrong password")

    assert readiness.reasons() == {"kafka": "wrong password"}


def test_only_news_is_logged() -> None:
    """
    A probe every few seconds through a night would fill the log with one sentence.
    """
    readiness = Readiness()
    with capture_logs() as logs:
        readiness.has("kafka")
        for _ in range(3):
            readiness.lacks("kafka", "no broker")
        readiness.lacks("kafka", "wrong password")
        readiness.has("kafka")
        readiness.has("kafka")

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("not ready", "warning"),
        ("not ready", "warning"),
        ("ready again", "info"),
    ]


def test_what_is_told_is_a_copy() -> None:
    readiness = Readiness()
    readiness.lacks("kafka", "no broker")

    readiness.reasons().clear()

    assert readiness.reasons()


def test_many_threads_may_tell_it() -> None:
    readiness = Readiness()

    def tell(part: str) -> None:
        for _ in range(200):
            readiness.lacks(part, "x")
            readiness.reasons()
            readiness.has(part)

    threads = [threading.Thread(target=tell, args=[f"worker-{n}"]) for n in range(4)]
    with capture_logs():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert readiness.reasons() == {}
