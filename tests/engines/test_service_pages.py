"""
Services in Python, Go and Java as docs/sources has them: each page is followed, and every field of
what they logged is found in Elasticsearch.
"""

import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engines.examples import jars
from engines.golang import find_go
from engines.maven import find_jdk
from engines.ports import free_ports
from tests.engines.oracle import ask
from tests.engines.pages import ROOT, commands, follow
from tests.engines.producing import create_topics
from tests.engines.running import Setup

# The first time, Go modules are fetched and compiled; later it takes seconds.
_TIMEOUT_S = 500
_TEST_TIMEOUT_S = 600

_TIMES = ("logtime", "@timestamp")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Documents = dict[str, dict[str, Any]]


def search(setup: Setup, index: str) -> Documents:
    """
    Give the documents of an index by their level.
    """
    found = ask(setup, "POST", f"/{index}/_search", {"size": 100})["hits"]["hits"]
    by_level = {hit["_source"]["level"]: hit["_source"] for hit in found}
    assert len(found) == len(by_level), "each of the lines has another level, and is there once"
    return by_level


def follow_page(
    setup: Setup, page: str, topics: list[str], *tools: Path, jars: Path | None = None
) -> str:
    """
    Do what a page says, on the engines of the tests.

    Args:
        topics: User topics, which a broker of the tutorial would make by itself.
        tools: Folders of programs that the page takes for granted.
        jars: In the place of those that the page has Maven fetch.
    Returns:
        What its commands said.
    """
    create_topics(setup, dict.fromkeys(topics, 1))
    port = str(free_ports(1)[0])
    replacements = {
        "127.0.0.1:9092": setup.kafka.bootstrap_servers,
        "http://127.0.0.1:9200": setup.elasticsearch.url,
        "127.0.0.1:9117": f"127.0.0.1:{port}",
        "ekk-": setup.topic(""),  # other tests have topics of this prefix
        ".run/sources": str(setup.folder),
    }
    script = commands((ROOT / "docs" / "sources" / page).read_text()).replace("$PWD/", "")
    if jars is not None:
        script = script.replace(".run/sources/jars", str(jars))
    for old, new in replacements.items():
        assert old in script, f"{page} does not say {old}"
        script = script.replace(old, new)
    path = ":".join([*map(str, tools), "$PATH"])
    done = follow(
        f'export PATH="{path}"\n{script}',
        _TIMEOUT_S,
        SINK__STATUS__PORT=port,
        KAFKA_BOOTSTRAP_SERVERS=setup.kafka.bootstrap_servers,
        LOG_PREFIX=setup.topic(""),
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def without_time(document: dict[str, Any]) -> dict[str, Any]:
    """
    Take out what the test cannot know: the time. @timestamp is made of the service's own.
    """
    logtime = document["logtime"]
    assert abs(time.time() * 1000 - logtime) < _TEST_TIMEOUT_S * 1000
    assert datetime.fromisoformat(document["@timestamp"]) == _EPOCH + timedelta(
        milliseconds=logtime
    )
    return {name: value for name, value in document.items() if name not in _TIMES}


@pytest.mark.timeout(_TEST_TIMEOUT_S)
def test_a_python_service_is_found_with_every_field(setup: Setup) -> None:
    said = follow_page(setup, "python.md", ["orders-python", "orders-structlog"])

    everywhere = {
        "threadname": "MainThread",
        "loggername": "com.example.orders",
        "appname": "orders",
        "instanceid": socket.gethostname(),
    }
    for index, shipped, failed in (
        ("sag-orders-python_*", "order 42 shipped", "order 43 failed"),
        ("sag-orders-structlog_*", "order shipped", "order failed"),
    ):
        found = search(setup, index)
        info, warning, error = (found[level] for level in ("INFO", "WARNING", "ERROR"))
        assert without_time(info) == everywhere | {
            "level": "INFO",
            "msg": shipped,
            "order": 42,
            "weight_kg": 1.5,
        }
        assert without_time(warning) == everywhere | {
            "level": "WARNING",
            "msg": "库存不足",
            "item": "茶杯",
        }
        message = error.pop("msg")
        assert without_time(error) == everywhere | {"level": "ERROR", "order": 43}
        assert message.startswith(f"{failed}\nTraceback (most recent call last):\n")
        assert "ConnectionRefusedError" in message
    assert "log records lost" not in said
    assert '"item" : "茶杯"' in said, "the search of the page finds it"


@pytest.mark.timeout(_TEST_TIMEOUT_S)
def test_a_go_service_is_found_with_every_field(setup: Setup) -> None:
    said = follow_page(setup, "go.md", ["orders-go"], find_go())

    found = search(setup, "sag-orders-go_*")
    everywhere = {
        "loggername": "com.example.orders",
        "appname": "orders",
        "instanceid": socket.gethostname(),
    }
    for document in found.values():
        file, _, line = document.pop("caller").rpartition(":")
        assert file.endswith("/main.go")
        assert line.isdecimal()
    assert without_time(found["INFO"]) == everywhere | {
        "level": "INFO",
        "msg": "order 42 shipped",
        "order": 42,
        "weight_kg": 1.5,
    }
    assert without_time(found["WARN"]) == everywhere | {
        "level": "WARN",
        "msg": "库存不足",
        "item": "茶杯",
        "waited_ms": 1250,
    }
    assert "main.ship" in found["ERROR"].pop("stacktrace")
    assert without_time(found["ERROR"]) == everywhere | {
        "level": "ERROR",
        "msg": "order 43 failed",
        "order": 43,
        "error": "connection refused",
    }
    assert '"error" : "connection refused"' in said, "the search of the page finds it"


@pytest.mark.timeout(_TEST_TIMEOUT_S)
def test_a_java_service_is_found_with_every_field(setup: Setup) -> None:
    said = follow_page(setup, "java.md", ["orders-java"], find_jdk(17) / "bin", jars=jars())

    found = search(setup, "sag-orders-java_*")
    everywhere = {
        "threadname": "main",
        "loggername": "com.example.orders.Orders",
        "appname": "orders",
        "instanceid": "local",
    }
    assert without_time(found["INFO"]) == everywhere | {
        "level": "INFO",
        "msg": "order 42 shipped",
        "order": "42",
    }
    assert without_time(found["WARN"]) == everywhere | {
        "level": "WARN",
        "msg": "库存不足: 茶杯",
        "order": "42",
    }
    stack = found["ERROR"].pop("stacktrace")
    assert stack.startswith("java.io.IOException: connection refused\n\tat com.example.orders.")
    assert without_time(found["ERROR"]) == everywhere | {
        "level": "ERROR",
        "msg": "order 43 failed",
        "order": "43",
    }
    assert '"order" : "43"' in said, "the search of the page finds it"
