"""
The sources of the demo, and queries by which their users would look for what they sent.

Read by the demo's end, which asks each query of the index that the source's documents are in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.configuration import PREFIX

# For each value of demo/samples.py, how many documents of one record a query has to find.
PerRecord = Mapping[str, int]


@dataclass(frozen=True)
class Source:
    """
    One source.

    Args:
        name: Of its collector, or the language of the service.
        topic: Where it sends its records.
        queries: In the syntax of Kibana's and `_search?q=`; each with what it has to find, which
            for a service is the number of its lines.
        mapped: Fields and their types, as the index template has them.
    """

    name: str
    topic: str
    queries: Mapping[str, PerRecord | int]
    mapped: Mapping[str, str]


_EKK_FIELDS = {"logtime": "date", "level": "keyword", "loggername": "keyword", "msg": "text"}
_BOTH_KONGS = {"kong-kafka-log.json": 1, "kong-kafka-log-older.json": 1}

SOURCES = [
    Source(
        "log",
        f"{PREFIX}gateway-core",
        {
            'level:ERROR AND @timestamp:"2026-11-21T09:14:01.945Z"': {"ekk-appender.json": 1},
            "msg:(legacy AND appender)": {"not-json.txt": 1},
        },
        _EKK_FIELDS,
    ),
    Source(
        "log",
        f"{PREFIX}order-service",
        {
            'msg:"订单创建成功" AND logtime:1795252441999': {"ekk-appender-chinese.json": 1},
        },
        _EKK_FIELDS,
    ),
    Source(
        "kong",
        "kong-kafka-log",
        {
            "response.status:200 AND latencies.proxy:>400": _BOTH_KONGS,
            'client_ip:"192.168.144.0/24" AND request.size:138': _BOTH_KONGS,
            "@timestamp:[2021-02-25 TO 2021-02-26}": _BOTH_KONGS,
        },
        {
            "response.status": "short",
            "latencies.proxy": "double",
            "client_ip": "ip",
            "request.size": "long",
            "request.headers": "flattened",
        },
    ),
    Source(
        "apisix",
        "apisix",
        {
            'request.method:GET AND request.uri:"/hello?ab=cd"': {
                "apisix-default.json": 1,
                "apisix-origin.txt": 1,
            },
            "response.status:200 AND latency:<2": {
                "apisix-default.json": 1,
                "apisix-default-batch.json": 2,
            },
            '@timestamp:"2020-09-23T23:05:05Z"': {"apisix-log-format.json": 1},
        },
        {
            "request.method": "keyword",
            "request.uri": "keyword",
            "request.body": "text",
            "response.status": "short",
            "latency": "double",
        },
    ),
    Source(
        "zap",
        "zap",
        {
            'level:error AND caller:"project/login.go:51"': {"go-zap.json": 1},
            '@timestamp:"2026-11-21T01:15:42.001Z"': {"go-zap-iso8601.json": 1},
            "ts:1795252441.9451783 AND error:refused": {"go-zap.json": 1},
        },
        {"level": "keyword", "caller": "keyword", "ts": "keyword", "error": "text"},
    ),
    Source(
        "zap",
        "msproject_log",
        {'type:info AND @timestamp:"2026-11-21T01:15:42Z"': {"go-msproject.json": 1}},
        {"type": "text"},
    ),
    Source(
        "logstash",
        "app-log",
        {
            "type:app-log AND level:ERROR": {"ekk-appender.json": 1},
            "tags:_jsonparsefailure AND message:legacy": {"not-json.txt": 1},
            "@version:1 AND host:localhost": {"apisix-log-format.json": 1},
        },
        {"type": "keyword", "tags": "keyword", "@version": "keyword", "message": "text"},
    ),
    Source(
        "raw",
        "plain",
        {"msg:legacy": {"not-json.txt": 1}, "msg:loggername": {"ekk-appender.json": 1}},
        {"msg": "text", "logtime": "date"},
    ),
    Source(
        "python",
        f"{PREFIX}orders-python",
        {"order:42 AND weight_kg:>1": 1, 'level:WARNING AND msg:"库存不足"': 1},
        _EKK_FIELDS | {"order": "long"},
    ),
    Source(
        "go",
        f"{PREFIX}orders-go",
        {'order:43 AND error:"connection refused"': 1, 'level:WARN AND msg:"库存不足"': 1},
        _EKK_FIELDS | {"order": "long"},
    ),
    Source(
        "java",
        f"{PREFIX}orders-java",
        {'order:43 AND stacktrace:"connection refused"': 1, 'level:WARN AND msg:"库存不足"': 1},
        _EKK_FIELDS | {"stacktrace": "text"},
    ),
]
