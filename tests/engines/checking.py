"""
Runs `sink check` for a topic and indices of a test's own.
"""

import json
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from click.testing import CliRunner, Result
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sink.cli import cli
from tests.waiting import wait_until

TIMEOUT_S = 30


class Row(NamedTuple):
    """A finding as the command's JSON has it."""

    subject: str
    ok: bool
    level: str
    text: str
    remedy: str


class Checked(NamedTuple):
    rows: list[Row]
    exit_code: int

    def one(self, subject: str) -> Row:
        [row] = [row for row in self.rows if row.subject == subject]
        return row


class Setup:
    """A configuration for topics and indices of our own."""

    def __init__(self, folder: Path, bootstrap_servers: str, url: str) -> None:
        mark = uuid4().hex[:8]
        self.topic = f"check{mark}-a.b"
        self.index = f"sag{mark}-a_b"
        self.pattern = f"sag{mark}-*"
        self.dead_letters = f"dead-{mark}"
        self.parked = f"parked-{mark}"
        self.url = url
        self.kafka: dict[str, object] = {"bootstrap_servers": bootstrap_servers}
        self.elasticsearch: dict[str, object] = {"hosts": [url]}
        self.dead_letter: dict[str, object] = {"topic": self.dead_letters}
        self.park: dict[str, object] = {"topic": self.parked}
        self.routes = (
            f'[[routes]]\nname = "ekk"\nprefix = "check{mark}-"\n'
            f'index = {{ prefix = "sag{mark}-" }}\n'
        )
        self._file = folder / "sink.toml"

    def check(self) -> Checked:
        result = self._sink("check", "--json")
        return Checked([Row(**row) for row in json.loads(result.stdout)], result.exit_code)

    def role(self) -> dict[str, object]:
        role: dict[str, object] = json.loads(self._sink("config", "role").stdout)
        return role

    def _sink(self, *arguments: str) -> Result:
        sections = ("kafka", "elasticsearch", "dead_letter", "park")
        settings = (
            f"[{section}]\n"
            + "".join(f"{k} = {json.dumps(v)}\n" for k, v in getattr(self, section).items())
            for section in sections
        )
        self._file.write_text("".join(settings) + self.routes)
        result = CliRunner().invoke(cli, [*arguments, "-c", str(self._file)])
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result


def create_topic(admin: AdminClient, topic: str) -> None:
    new = NewTopic(topic, num_partitions=1, replication_factor=1)
    admin.create_topics([new], operation_timeout=TIMEOUT_S)[topic].result(TIMEOUT_S)
    wait_until(
        lambda: topic in admin.list_topics(timeout=TIMEOUT_S).topics, TIMEOUT_S, f"topic {topic}"
    )
