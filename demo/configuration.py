"""
The topics of the demo and the configuration file of its sink.
"""

from pathlib import Path

GROUP = "demo"
DEAD_LETTERS = f"sink-dlq.{GROUP}"
PREFIX = "ekk-"
LOADED = {  # topic → partitions
    f"{PREFIX}gateway-core": 3,
    f"{PREFIX}order-service": 3,
    "kong-kafka-log": 2,
    "apisix": 2,
    "zap": 1,
    "msproject_log": 1,
    "app-log": 1,
    "plain": 1,
}
# Those of examples/: each has a topic of its own.
SERVICES = {f"{PREFIX}orders-{language}": 1 for language in ("python", "go", "java")}
TOPICS = LOADED | SERVICES

_TOML = """\
# Written by the demo; the sink runs with: sink run -c {path}
# `sink config init` writes a file with every setting.

[kafka]
bootstrap_servers = "{kafka}"
group_id = "{group}"

[elasticsearch]
hosts = ["{elasticsearch}"]

[status]
port = {port}

[shutdown]
timeout_ms = 10000

# Topics ekk-<user topic>; an index a user topic and month.
[[routes]]
name = "ekk"
prefix = "{prefix}"
time_field = "logtime"
index = {{ prefix = "sag-", period = "month" }}

# The others have daily indices with names of their own.
[[routes]]
name = "kong"
topics = ["kong-kafka-log"]
collector = "kong"
index = {{ name = "logstash-log-%Y.%m.%d" }}

[[routes]]
name = "apisix"
topics = ["apisix"]
collector = "apisix"
index = {{ name = "apisix-%Y.%m.%d" }}

[[routes]]
name = "zap"
topics = ["zap"]
collector = "zap"
index = {{ name = "zap-%Y.%m.%d" }}

# A layout of its own: the time is in another field, and has no zone.
[[routes]]
name = "msproject"
topics = ["msproject_log"]
collector = "zap"
time_field = "time"
index = {{ name = "msproject_log-%Y.%m.%d", zone = "Asia/Shanghai" }}

# What Logstash's kafka input took before.
[[routes]]
name = "logstash"
topics = ["app-log"]
collector = "logstash"
index = {{ name = "logstash-app-%Y.%m.%d" }}

[[routes]]
name = "raw"
topics = ["plain"]
collector = "raw"
index = {{ name = "plain-%Y.%m.%d" }}
"""


def user_topic(topic: str) -> str:
    """
    Give the topic as its producer knows it, without the prefix of the route.
    """
    return topic.removeprefix(PREFIX)


def write(path: Path, *, kafka: str, elasticsearch: str, port: int) -> None:
    """
    Write the sink's configuration.

    Args:
        kafka: host:port.
        elasticsearch: URL.
        port: Of the sink's status pages.
    """
    path.write_text(
        _TOML.format(
            path=path,
            kafka=kafka,
            elasticsearch=elasticsearch,
            port=port,
            group=GROUP,
            prefix=PREFIX,
        )
    )
