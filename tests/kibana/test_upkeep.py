"""
The daemon's part: data views as topics appear, and records that flow on whatever Kibana does.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from sink.config import Config
from sink.core.data_view import object_id
from sink.errors import Unavailable
from sink.kibana.upkeep import Upkeep
from sink.stop import Stop
from sink.testing import FakeKibana
from tests.edge.answering import AnsweringServer, Told, closed_port
from tests.kibana.sides import config_of
from tests.waiting import wait_until

Logged = Sequence[Mapping[str, object]]


class _Ended(Stop):
    """A stop that ends no process."""

    def __init__(self) -> None:
        super().__init__(1000)

    def request(self) -> None:
        self._event.set()


@contextmanager
def running(config: Config, topics: Callable[[], list[str]]) -> Iterator[tuple[Upkeep, Logged]]:
    """Look after the topics, a hundred times a second."""
    stop = _Ended()
    upkeep = Upkeep(config, topics, every_s=0.01, retry_initial_ms=1)
    with capture_logs() as logged:
        upkeep.ensure(stop)
        try:
            yield upkeep, logged
        finally:
            stop.request()
            for thread in threading.enumerate():
                if thread.name == "kibana":
                    thread.join(10)


def names(upkeep: Upkeep) -> list[str]:
    return [each.name for each in upkeep.links()]


def test_a_topic_that_appears_gets_its_data_view_and_its_link() -> None:
    looks, there = 0, ["ekk-a"]

    def topics() -> list[str]:
        nonlocal looks
        looks += 1
        return there

    with (
        FakeKibana() as fake,
        running(config_of(fake, setup_on_start=True), topics) as (upkeep, logged),
    ):
        wait_until(lambda: names(upkeep) == ["a"], 10, "the first link")
        there.append("ekk-b")
        wait_until(lambda: names(upkeep) == ["a", "b"], 10, "the second link")
        seen = looks
        wait_until(lambda: looks > seen + 5, 10, "further looks at the topics")

    assert {view["name"] for view in fake.data_views().values()} == {"a", "b"}
    methods = [each.method for each in fake.asked]
    assert methods == ["GET", "POST"] * 2, "where nothing is new Kibana is not asked"
    told = [each["name"] for each in logged if each["event"] == "data view created"]
    assert told == ["a", "b"]


def test_without_the_wish_nothing_is_asked_and_no_thread_runs() -> None:
    with FakeKibana() as fake, running(config_of(fake), lambda: ["ekk-a"]) as (upkeep, _):
        assert "kibana" not in [thread.name for thread in threading.enumerate()]
        assert (names(upkeep), fake.asked) == ([], [])


@pytest.mark.parametrize("mischief", ["not ready", "proxy", "wrong key"])
def test_while_kibana_refuses_it_is_told_once_and_tried_until_it_works(mischief: str) -> None:
    with FakeKibana(api_key="hush-right") as fake:
        if mischief == "not ready":
            fake.not_ready()
        elif mischief == "proxy":
            fake.proxy()
        key = "hush-wrong" if mischief == "wrong key" else "hush-right"
        config = config_of(fake, setup_on_start=True, api_key=key)
        with running(config, lambda: ["ekk-a"]) as (upkeep, logged):
            wait_until(lambda: len(fake.asked) >= 3, 10, "three attempts")
            assert names(upkeep) == []
            fake.ready()
            fake._authorization = f"ApiKey {key}"
            wait_until(lambda: names(upkeep) == ["a"], 10, "the link")

        warnings = [each for each in logged if each["log_level"] == "warning"]
        assert len(warnings) == 1
        assert "records flow on" in str(warnings[0]["event"])
        assert "kibana is set up again" in [each["event"] for each in logged]
        assert "hush" not in str(logged)


def test_a_kibana_that_is_not_there_and_brokers_that_are_not_are_survived() -> None:
    answers = iter([Unavailable("no broker"), RuntimeError("a bug")])

    def topics() -> list[str]:
        failure = next(answers, None)
        if failure:
            raise failure
        return ["ekk-a"]

    with (
        closed_port() as url,
        running(config_of(url, setup_on_start=True), topics) as (_, logged),
    ):
        wait_until(lambda: len(logged) >= 3, 10, "three failures")

    reasons = [str(each["reason"]) for each in logged]
    assert reasons[0] == "no broker"
    assert reasons[1] == "RuntimeError: a bug"
    assert [bool(each.get("exc_info")) for each in logged[:3]] == [False, True, False]
    assert "does not answer" in reasons[2]


def test_a_silent_kibana_holds_up_neither_the_daemon_nor_its_end() -> None:
    """The main thread goes on while the answer is out; the thread does not outlive the process."""
    with AnsweringServer(Told(silent=True)) as server:
        config = config_of(server.url, setup_on_start=True, request_timeout_ms=60_000)
        upkeep, stop = Upkeep(config, lambda: ["ekk-a"], retry_initial_ms=1), _Ended()
        upkeep.ensure(stop)
        wait_until(lambda: server.asked, 10, "a request")
        (thread,) = [each for each in threading.enumerate() if each.name == "kibana"]
        assert thread.is_alive() and thread.daemon
        assert upkeep.links() == ()
        stop.request()
        server.leave.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_thread_that_ended_is_started_again_and_one_that_runs_is_not_doubled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeKibana() as fake:
        config = config_of(fake, setup_on_start=True)
        upkeep, stop = Upkeep(config, lambda: ["ekk-a"], every_s=0.01), _Ended()

        def none(*_: object) -> threading.Thread:
            raise Unavailable("thread kibana: can't start new thread")

        with monkeypatch.context() as patch, capture_logs() as logged:
            patch.setattr("sink.kibana.upkeep.threads.start", none)
            upkeep.ensure(stop)
        assert "can't start new thread" in str(logged[0]["reason"])
        upkeep.ensure(stop)
        upkeep.ensure(stop)
        running_now = [each for each in threading.enumerate() if each.name == "kibana"]
        assert len(running_now) == 1
        stop.request()
        running_now[0].join(10)


def test_more_topics_than_allowed_are_told_once_and_the_first_are_set_up() -> None:
    topics = [f"ekk-{n}" for n in range(5)]
    with (
        FakeKibana() as fake,
        running(config_of(fake, setup_on_start=True, data_views_max=2), lambda: topics) as (
            upkeep,
            logged,
        ),
    ):
        wait_until(lambda: len(names(upkeep)) == 2, 10, "two links")
        wait_until(lambda: logged, 10, "a warning")

        assert len(fake.data_views()) == 2
        told = [each for each in logged if "data_views_max" in str(each["event"])]
        assert [each["left_out"] for each in told] == [3]


def test_one_that_kibana_refuses_has_no_link_and_is_told_as_an_error() -> None:
    with FakeKibana(spaces=["elsewhere"]) as fake:
        config = config_of(fake, setup_on_start=True)
        title = "sag-a_20*-*-*,sag-a_undated"
        fake.add_data_view("x", id_=object_id(None, title), space="elsewhere")
        with running(config, lambda: ["ekk-a", "ekk-b"]) as (upkeep, logged):
            wait_until(lambda: names(upkeep) == ["b"], 10, "the other link")

        (error,) = [each for each in logged if each["log_level"] == "error"]
        assert error["name"] == "a" and "conflict" in str(error["reason"])
