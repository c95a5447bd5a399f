"""
How engines are fetched, found, refused and ended.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engines import Elasticsearch, Engine, EngineError, Kafka, pidfile
from engines.__main__ import main
from engines.cache import cached
from engines.maven import find_jdk
from tests.waiting import wait_until

_TIMEOUT_S = 30

_STARTER = """
import shutil, subprocess, sys, threading
from pathlib import Path
from engines.spawn import spawn

children = []

def start():
    children.append(spawn([shutil.which("sleep"), "600"], Path("log"), {}, outlive=False))
    print(children[0].pid, flush=True)
    sys.stdin.readline()

thread = threading.Thread(target=start)
thread.start()
thread.join()
try:
    print("ended with", children[0].wait(0.5), flush=True)
except subprocess.TimeoutExpired:
    print("lives on", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def starter(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """
    A process that starts another one from a thread which ends, and then waits.
    """
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def is_asleep(pid: int) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return arguments[0].endswith(b"/sleep")


def test_an_engine_dies_with_the_process_that_started_it_and_not_with_the_thread(
    starter: "subprocess.Popen[str]",
) -> None:
    """
    No engine may stay behind when a test run is killed; a thread that starts one may well end.

    The thread ends only when the child has become the engine, for before that it asks for nothing.
    """
    assert starter.stdin is not None
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    wait_until(lambda: is_asleep(child), _TIMEOUT_S, "the child")

    starter.stdin.write("end the thread\n")
    starter.stdin.flush()
    assert starter.stdout.readline() == "lives on\n"
    starter.kill()

    wait_until(lambda: not is_asleep(child), _TIMEOUT_S, "the end of the child")


def test_a_pid_that_is_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    pidfile.write(tmp_path, pidfile.Running("kafka", os.getpid(), "127.0.0.1:9092"))
    engine = Kafka(tmp_path)

    engine.stop()
    engine.kill()

    assert engine.pid is None


def test_a_dead_process_is_no_running_engine(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(_TIMEOUT_S)
    pidfile.write(tmp_path, pidfile.Running("kafka", ended.pid, "127.0.0.1:9092"))

    assert CliRunner().invoke(main, ["status", "--data", str(tmp_path)]).output == "not running\n"


@pytest.mark.parametrize("engine", [Kafka, Elasticsearch])
def test_a_taken_port_is_named_before_anything_starts(engine: type[Engine], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(EngineError, match=f"127.0.0.1:{port}"):
            engine(tmp_path, port=port).start()

    assert not (tmp_path / "engine.log").exists()


def test_a_relative_data_directory_is_the_one_of_its_starter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = Kafka("data")
    monkeypatch.chdir("/")

    assert engine.log == tmp_path / "data" / "engine.log"


def test_a_start_that_fails_says_what_the_engine_said(tmp_path: Path) -> None:
    engine = Kafka(tmp_path, fast_start=True, settings={"num.io.threads": "many"})

    with pytest.raises(EngineError, match=r"num\.io\.threads"):
        engine.start()

    assert engine.pid is None


def test_missing_maven_is_one_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(find_jdk(17)))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ENGINES_CACHE", str(tmp_path / "cache"))

    done = CliRunner().invoke(main, ["fetch"])

    assert done.exit_code == 1
    (line,) = (line for line in done.output.splitlines() if line.startswith("Error"))
    assert "no mvn on PATH" in line
    assert "apt-get install openjdk-17-jdk-headless maven" in line


def test_a_missing_jdk_is_one_line_that_says_what_to_install() -> None:
    with pytest.raises(EngineError, match=r"^Java is missing: .*openjdk-99-jdk-headless.*$"):
        find_jdk(99)


def test_a_fetch_that_fails_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Half a Kafka in the cache would fail every later start, for reasons that nobody could see.
    """
    monkeypatch.setenv("ENGINES_CACHE", str(tmp_path))

    def half(folder: Path) -> None:
        (folder / "one.jar").touch()
        raise EngineError("the net is down")

    with pytest.raises(EngineError, match="the net is down"):
        cached("an-engine", half)

    assert list(tmp_path.iterdir()) == []
    whole = cached("an-engine", lambda folder: (folder / "two.jar").touch())
    assert (whole / "two.jar").exists()
