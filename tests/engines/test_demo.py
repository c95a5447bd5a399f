"""
The demo as a person runs it: a process, its output, Ctrl-C, its exit code, and what it leaves.
"""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from demo import page
from demo.services import Services
from engines import EngineError
from engines.maven import find_jdk
from tests.waiting import wait_until

_TOPICS = ["apisix", "app-log", "ekk-gateway-core", "ekk-order-service", "ekk-orders-go",
    "ekk-orders-java", "ekk-orders-python", "kong-kafka-log", "msproject_log", "plain"]  # fmt: skip
_SOURCES = {"log", "kong", "apisix", "zap", "logstash", "raw", "python", "go", "java"}
_START_S = 90
_END_S = 90


class _Demo:
    """
    One demo in a session of its own, as a terminal would have it.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder / "demo"
        self._output = folder / f"output-{uuid.uuid4()}"
        command = [sys.executable, "-m", "demo", "--folder", str(self.folder), *arguments]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | environment,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._output.read_text()

    def until_said(self, pattern: str) -> str:
        def found() -> str:
            assert self.process.poll() is None, self.said()
            match = re.search(pattern, self.said())
            return match[1] if match else ""

        return wait_until(found, _START_S, f"the demo to say {pattern}")

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def exit_code(self) -> int:
        return self.process.wait(_END_S)

    def left_running(self) -> list[str]:
        """
        Find the processes that have the demo's folder in their command line.
        """
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
        return [line for line in lines if str(self.folder) in line]

    def table(self) -> dict[str, dict[str, int]]:
        """
        Read the last table: topic → column → number.
        """
        lines = self.said().split("What became of each record, by topic\n")[1].splitlines()
        heads = lines[0].split()[1:]
        rows = [line.split() for line in lines[1 : lines.index("") - 1]]
        return {row[0]: dict(zip(heads, map(int, row[1:]), strict=True)) for row in rows}

    def asked(self) -> list[tuple[str, str, int, int]]:
        """
        Read the table of the sources: source, query, found, of.
        """
        lines = self.said().split("What is found of each source, by its fields\n")[1].splitlines()
        rows = [re.split(r"  +", line) for line in lines[1 : lines.index("")]]
        return [(row[0], row[4], int(row[5]), int(row[6])) for row in rows]


@contextmanager
def _demo(folder: Path, *arguments: str, **environment: str) -> Iterator[_Demo]:
    demo = _Demo(folder, *arguments, **environment)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.kill()  # engines and sink die with it
        demo.process.wait(10)


def test_ctrl_c_ends_the_demo_in_order_with_every_record_accounted_for(tmp_path: Path) -> None:
    with _demo(tmp_path, "--rate", "500") as demo:
        demo.until_said(r"(\d{3,}) indexed")
        demo.interrupt()
        assert demo.exit_code() == 0, demo.said()

    assert demo.left_running() == []
    said, table = demo.said(), demo.table()
    assert sorted(table) == [*_TOPICS, "total", "zap"]
    total = table["total"]
    assert f"Every one of {total['produced']} produced records is accounted for." in said
    assert total["unaccounted"] == total["duplicate"] == 0
    assert table["apisix"]["indexed"] > table["apisix"]["produced"]  # one value holds three
    for topic in ("ekk-gateway-core", "ekk-order-service"):
        assert table[topic]["dead-lettered"] > 0
        assert table[topic]["dropped"] > 0
    for index in ("sag-order-service", "logstash-log-", "apisix-", "msproject_log-", "zap-"):
        assert re.search(rf"^{index}\S*  \S+-\d+-\d+-\d+(-\d+)?  {{", said, re.MULTILINE)
    for error_type in ("not_an_object", "document_parsing_exception"):
        assert error_type in said
    asked = demo.asked()
    assert {source for source, *_ in asked} == _SOURCES
    assert all(found == of > 0 for *_, found, of in asked)
    assert "Each of 11 sources is found by its fields." in said
    assert re.search(r"http://\S+/metrics", said)
    assert "\x1b" not in said  # it is no terminal
    assert (demo.folder / "sink.toml").exists()


def test_a_record_that_is_nowhere_fails_the_demo(tmp_path: Path) -> None:
    """
    Somebody deletes one document behind the sink's back: nobody but the judge can notice.
    """
    with _demo(tmp_path, "--seconds", "10") as demo:
        with Elasticsearch(demo.until_said(r"elasticsearch \S+: (\S+)")) as client:
            (hit,) = wait_until(lambda: _first(client, "zap-*"), 30, "the first document")
            client.delete(index=hit["_index"], id=hit["_id"])
        assert demo.exit_code() == 1, demo.said()

    assert demo.left_running() == []
    produced = demo.table()["total"]["produced"]
    assert demo.table()["zap"]["unaccounted"] == demo.table()["total"]["unaccounted"] == 1
    offset = hit["_id"].rpartition("-")[2]
    wrong = f"WRONG: 1 of {produced} records are unaccounted for: zap partition 0 offset {offset};"
    assert wrong in demo.said()


def test_a_field_that_is_not_found_fails_the_demo(tmp_path: Path) -> None:
    """
    The operator's own templates win: one field is not indexed, two have another type.
    """
    hidden = {"type": "double", "index": False, "doc_values": False}
    unfit: dict[str, dict[str, Any]] = {
        "kong-custom": {"latencies.proxy": hidden, "request.size": {"type": "boolean"}},
        "zap-custom": {"caller": {"type": "text"}},
    }
    with _demo(tmp_path, "--seconds", "3") as demo:
        with Elasticsearch(demo.until_said(r"elasticsearch \S+: (\S+)")) as client:
            for name, fields in unfit.items():
                client.cluster.put_component_template(
                    name=name, template={"mappings": {"properties": fields}}
                )
        assert demo.exit_code() == 1, demo.said()

    said = demo.said()
    assert demo.table()["total"]["unaccounted"] == 0
    assert [asked[0] for asked in demo.asked() if asked[2] != asked[3]] == ["kong"] * 2
    expected = [
        r"kong: response.*latencies\.proxy:>400 finds 0 of \d+ in logstash-log-.*Cannot search on",
        r"kong: .* AND request\.size:138 finds 0 of \d+ in .*Can't parse boolean value \[138\]",
        r"kong: request\.size is mapped as boolean and not as long, in logstash-log-",
        r"zap: caller is mapped as text and not as keyword, in zap-",
    ]
    wrong = re.findall("^WRONG: (.*)", said, re.MULTILINE)
    assert len(wrong) == len(expected) and all(map(re.match, expected, wrong)), wrong
    assert "is found by its fields." not in said


def test_a_service_without_its_tools_is_told_and_one_that_fails_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> list[str]:
        raise EngineError("Go is missing")

    commands = {"go": missing, "python": lambda: [sys.executable, "-c", "raise SystemExit(3)"]}
    monkeypatch.setattr("demo.services._COMMANDS", commands)
    services = Services(tmp_path)
    services.build()
    services.start("127.0.0.1:1")
    services.wait()

    assert "go: not run: Go is missing" in list(page.sources([], services.not_run))
    (failure,) = services.failures()
    assert failure.startswith("the python service ended with exit code 3 (")


def _first(client: Elasticsearch, index: str) -> list[Any]:
    """
    Find a document; none while its index is missing or still opened.
    """
    asking = client.options(ignore_status=503)
    asking.indices.refresh(index=index)
    hits: list[Any] = asking.search(index=index, size=1).get("hits", {}).get("hits", [])
    return hits


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    """
    The second would wipe the data under the first.
    """
    with _demo(tmp_path) as first:
        first.until_said("(starting)")
        with _demo(tmp_path, "--seconds", "1") as second:
            assert second.exit_code() == 1
        assert f"a demo runs already on {first.folder}" in second.said()
        first.interrupt()
        assert first.exit_code() == 130
    assert first.left_running() == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "demo" / "kafka" / "theirs"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    with _demo(tmp_path) as demo:
        assert demo.exit_code() == 1
    assert "holds something else" in demo.said()
    assert theirs.exists()


def test_without_maven_it_says_in_one_line_what_to_install(tmp_path: Path) -> None:
    tools = {"PATH": str(tmp_path), "JAVA_HOME": str(find_jdk(17))}
    with _demo(tmp_path, ENGINES_CACHE=str(tmp_path / "cache"), **tools) as demo:
        assert demo.exit_code() == 1
    *_, last = demo.said().splitlines()
    assert last.startswith("Error: Maven is missing") and "apt-get install" in last
    assert "Traceback" not in demo.said()
