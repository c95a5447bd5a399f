"""
The configurations of examples/kong and examples/apisix: their form, and that every key is one that
its plugin documents. No gateway runs here.
"""

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

_EXAMPLES = Path(__file__).parents[2] / "examples"

# Kong's reference of the plugin "Kafka Log", and its format of declarative configuration.
_KONG = {
    "_format_version": str,
    "plugins": [
        {
            "name": str,
            "config": {
                "bootstrap_servers": [{"host": str, "port": int}],
                "topic": str,
                "timeout": int,
                "keepalive": int,
                "keepalive_enabled": bool,
                "cluster_name": str,
                "key_query_arg": str,
                "producer_request_acks": int,
                "producer_request_timeout": int,
                "producer_request_limits_messages_per_request": int,
                "producer_request_limits_bytes_per_request": int,
                "producer_request_retries_max_attempts": int,
                "producer_request_retries_backoff_timeout": int,
                "producer_async": bool,
                "producer_async_flush_timeout": int,
                "producer_async_buffering_limits_messages_in_memory": int,
                "custom_fields_by_lua": {...: str},
                "security": {"ssl": bool, "certificate_id": str},
                "authentication": {
                    "strategy": str,
                    "mechanism": str,
                    "tokenauth": bool,
                    "user": str,
                    "password": str,
                },
            },
        }
    ],
}

# APISIX's pages "kafka-logger", "Batch Processor" and "Deployment modes" (standalone).
_SASL = {"mechanism": str, "user": str, "password": str}
_APISIX: dict[str, Any] = {
    "global_rules": [
        {
            "id": str,
            "plugins": {
                "kafka-logger": {
                    "brokers": [{"host": str, "port": int, "sasl_config": _SASL}],
                    "kafka_topic": str,
                    "key": str,
                    "name": str,
                    "meta_format": str,
                    "producer_type": str,
                    "required_acks": int,
                    "timeout": int,
                    "batch_max_size": int,
                    "inactive_timeout": int,
                    "buffer_duration": int,
                    "max_retry_count": int,
                    "retry_delay": int,
                    "include_req_body": bool,
                    "include_resp_body": bool,
                    "log_format": {...: str},
                }
            },
        }
    ],
    "plugin_metadata": [{"id": str, "log_format": {...: str}, "max_pending_entries": int}],
}


def load(name: str) -> tuple[str, Any]:
    text = (_EXAMPLES / name).read_text("utf-8")
    return text, yaml.safe_load(text)


def problems(value: Any, form: Any, place: str) -> list[str]:
    """
    Tell what of a value is not of a form: a type, a list of one form, keys and their forms.
    """
    if isinstance(form, type):
        return [] if type(value) is form else [f"{place}: {value!r} is no {form.__name__}"]
    if isinstance(form, list):
        found = [problems(one, form[0], f"{place}[{n}]") for n, one in enumerate(value)]
    else:
        known = {key: form.get(key, form.get(...)) for key in value}
        found = [
            problems(value[key], inner, f"{place}.{key}") if inner else [f"{place}.{key}: unknown"]
            for key, inner in known.items()
        ]
    return list(chain.from_iterable(found))


@pytest.mark.parametrize(
    ("name", "form"), [("kong/kong.yaml", _KONG), ("apisix/apisix.yaml", _APISIX)]
)
def test_every_key_is_documented_and_has_a_value_of_its_type(name: str, form: Any) -> None:
    _, loaded = load(name)

    assert problems(loaded, form, name) == []


@pytest.mark.parametrize(
    ("name", "form"), [("kong/kong.yaml", _KONG), ("apisix/apisix.yaml", _APISIX)]
)
def test_what_is_commented_out_is_of_the_form_too(name: str, form: Any) -> None:
    """It is there to be uncommented: such lines have no space, or two, behind their #."""
    text, loaded = load(name)
    uncommented = re.sub(r"(?m)^( *)#(?=[a-z]|  )", r"\1", text)
    whole = yaml.safe_load(uncommented)

    assert whole != loaded
    assert problems(whole, form, name) == []


def test_what_the_pages_show_of_a_gateway_is_of_the_form_too() -> None:
    (kong,) = re.findall(r"^```yaml\n(.*?)^```$", _page("kong.md"), re.MULTILINE | re.DOTALL)
    route, metadata = (
        json.loads(body)
        for body in re.findall(r"-d '(.*?)'$", _page("apisix.md"), re.MULTILINE | re.DOTALL)
    )

    assert problems(yaml.safe_load(kong), _KONG, "kong.md") == []
    (rules,) = _APISIX["global_rules"]
    assert problems(route["plugins"], rules["plugins"], "apisix.md") == []
    (its,) = _APISIX["plugin_metadata"]
    assert problems(metadata, its, "apisix.md") == []


def _page(name: str) -> str:
    return (_EXAMPLES.parent / "docs" / "sources" / name).read_text("utf-8")


def test_a_wrong_key_or_type_would_be_noticed() -> None:
    _, kong = load("kong/kong.yaml")
    config = kong["plugins"][0]["config"]
    config["producer_asink"] = config.pop("producer_async")
    config["bootstrap_servers"] = [{"host": "a", "port": "9092"}]

    assert sorted(problems(kong, _KONG, "")) == [
        ".plugins[0].config.bootstrap_servers[0].port: '9092' is no int",
        ".plugins[0].config.producer_asink: unknown",
    ]


@pytest.mark.parametrize(
    ("name", "topic"),
    [("kong/kong.yaml", "kong-kafka-log"), ("apisix/apisix.yaml", "apisix-log")],
)
def test_the_topic_is_that_of_the_route_it_names(name: str, topic: str) -> None:
    text, _ = load(name)

    assert f'topics = ["{topic}"]' in text
    assert f"topic: {topic}\n" in text


def test_standalone_apisix_reads_the_file_only_if_it_ends_with_its_mark() -> None:
    text, _ = load("apisix/apisix.yaml")

    assert text.endswith("\n#END\n")
