"""
The pages of the sources, command by command, as their readers type them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch, Kafka
from engines.ports import free_ports
from tests.engines.pages import ROOT, commands

_ALL = sorted((ROOT / "docs" / "sources").glob("[a-z]*.md"))
# tests/engines/test_service_pages.py follows the others.
_PAGES = [path for path in _ALL if path.stem not in {"go", "java", "python"}]
_TIMEOUT_S = 150


def _script(page: str, kafka: str, elasticsearch: str, status: str, folder: Path) -> str:
    """Join the indented blocks of a page, for engines that stand elsewhere."""
    script = commands(page).replace(".run/sources", str(folder))
    script = script.replace("127.0.0.1:9092", kafka).replace("http://127.0.0.1:9200", elasticsearch)
    # A sink that is left behind by a command that fails would go on.
    return "trap 'kill -9 $(jobs -p) 2> /dev/null || true' EXIT\n" + script.replace("9117", status)


def _create_topics(kafka: Kafka, pages: list[str]) -> None:
    """Create what a broker of the tutorial would make by itself."""
    topics = {topic for page in pages for topic in re.findall(r'produce\("([^"]+)"', page)}
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
        future.result(20)


@pytest.mark.timeout(200)
def test_every_command_of_the_pages_does_what_it_says(
    kafka: Kafka, elasticsearch: Elasticsearch, tmp_path: Path
) -> None:
    pages = [page.read_text("utf-8") for page in _PAGES]
    _create_topics(kafka, pages)
    running = []
    for page, path, status in zip(pages, _PAGES, map(str, free_ports(len(_PAGES))), strict=True):
        folder = tmp_path / path.stem
        script = _script(page, kafka.bootstrap_servers, elasticsearch.url, status, folder)
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SINK__STATUS__PORT": status,
        }
        with tmp_path.joinpath(f"{path.stem}.log").open("wb") as log:
            command = ["timeout", str(_TIMEOUT_S), "bash", "-e", "-o", "pipefail", "-c", script]
            running.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            )
    codes = [process.wait() for process in running]

    for path, code in zip(_PAGES, codes, strict=True):
        words = tmp_path.joinpath(f"{path.stem}.log").read_text()
        assert code == 0, f"{path.name}: {words}"
        assert "text is analyzed by standard" in words


@pytest.mark.parametrize("path", _ALL, ids=lambda path: path.name)
def test_what_is_not_run_says_so(path: Path) -> None:
    """A fenced block is another system's; the text before it says that it is not run."""
    for before in re.split(r"^```\w*$", path.read_text("utf-8"), flags=re.MULTILINE)[:-1:2]:
        assert "ot run here" in before.strip().split("\n\n")[-1], before
