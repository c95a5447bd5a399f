"""
A sink as its users run it: a process with a configuration file, a status port and signals.
"""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines import Elasticsearch, Kafka
from tests.waiting import wait_until

SINK = Path(sys.executable).with_name("sink")

# Topics that come and go, and members, are noticed within a second, not ten and three.
QUICK = "client = { 'topic.metadata.refresh.interval.ms' = 1000, 'heartbeat.interval.ms' = 300 }"
# Commits are waited for in most tests: not for a whole second.
_COMMITS = "commit_interval_ms = 200"

_TOML = """
[kafka]
bootstrap_servers = "{bootstrap}"
group_id = "{group}"
threads = 2
{kafka}
[elasticsearch]
hosts = ["{url}"]
{elasticsearch}
[bulk]
{bulk}
[status]
port = 0
[log]
format = "json"
[shutdown]
timeout_ms = {shutdown_ms}
[[routes]]
name = "ekk"
prefix = "{name}-"
index = {{ prefix = "{name}-", period = "month" }}
{more}
"""


@dataclass
class Setup:
    """
    What a test's sink is set up with. Topics, indices and group begin with the test's own name.
    """

    kafka: Kafka
    elasticsearch: Elasticsearch
    folder: Path
    name: str
    settings: dict[str, str] = field(default_factory=dict)
    group: str = ""

    def __post_init__(self) -> None:
        self.group = self.group or self.name

    def topic(self, user_topic: str) -> str:
        return f"{self.name}-{user_topic}"

    @property
    def dead_letter_topic(self) -> str:
        return f"sink-dlq.{self.group}"

    @property
    def parked_topic(self) -> str:
        return f"sink-parked.{self.group}"

    def write(self) -> Path:
        path = self.folder / "sink.toml"
        given = {"kafka": "", "elasticsearch": "", "bulk": "", "more": "", "shutdown_ms": "10000"}
        given |= {"bootstrap": self.kafka.bootstrap_servers, "url": self.elasticsearch.url}
        given |= {"name": self.name, "group": self.group} | self.settings
        if "commit_interval_ms" not in given["kafka"]:
            given["kafka"] += f"\n{_COMMITS}"
        path.write_text(_TOML.format(**given))
        return path


class SinkProcess:
    """
    One `sink run`. A context manager: it is killed at the end if it still runs.
    """

    def __init__(self, setup: Setup, number: int = 0) -> None:
        self._log = setup.folder / f"sink-{number}.log"
        self._already = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            command = [str(SINK), "run", "-c", str(setup.write())]
            self.process = subprocess.Popen(command, stderr=log, stdout=log)

    def __enter__(self) -> "SinkProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def events(self, name: str) -> list[dict[str, Any]]:
        """
        Give the log lines of this process with an event of that name.
        """
        said = self._log.read_bytes()[self._already :].splitlines()
        lines = [json.loads(line) for line in said if line.startswith(b"{")]
        return [line for line in lines if line["event"] == name]

    def log(self) -> str:
        return self._log.read_bytes()[self._already :].decode(errors="replace")

    def url(self) -> str:
        (event,) = wait_until(lambda: self.events("status port"), 20, "the status port")
        return str(event["url"])

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url() + path, timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def until_ready(self, timeout_s: float = 40) -> None:
        wait_until(lambda: self.get("/health/ready")[0] == 200, timeout_s, "the sink to be ready")

    def until_assigned(self, partitions: int, timeout_s: float = 40) -> None:
        def assigned() -> bool:
            lines = self.events("assigned")
            return sum(len(line["partitions"]) for line in lines) >= partitions

        wait_until(assigned, timeout_s, f"{partitions} partitions to be assigned")

    def until_shared_out(self, timeout_s: float = 60) -> None:
        """
        Wait until both threads have partitions, so that none moves any more.

        What one had read of a partition that goes to the other is read, and sent, twice.
        """

        def shared_out() -> bool:
            return len({e["worker"] for e in self.events("assigned") if e["partitions"]}) > 1

        wait_until(shared_out, timeout_s, "each thread to have partitions")

    def ledger(self) -> dict[str, dict[str, int]]:
        ledger: dict[str, dict[str, int]] = self.get("/ledger")[1]
        return ledger

    def fates(self, topic: str, timeout_s: float = 20, consumed: int = 1) -> dict[str, int]:
        """
        Give a topic's account once nothing of it is under way.

        It is published once a commit interval: a commit may be seen before.

        Args:
            consumed: So many records are in it, at least.
        """

        def rested() -> dict[str, int]:
            fates = self.ledger().get(topic, {})
            if fates.get("in_flight") or fates.get("consumed", 0) < consumed:
                return {}
            return fates

        return wait_until(rested, timeout_s, f"the account of {topic} to have nothing in flight")

    def reasons(self) -> dict[str, str]:
        reasons: dict[str, str] = self.get("/health/ready")[1]["reasons"]
        return reasons

    def rss_mib(self, figure: str = "VmRSS") -> float:
        """
        Tell the resident memory, or with VmHWM its peak.
        """
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{figure}:")[1].split()[0]) / 1024

    def terminate(self, timeout_s: float = 30) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
