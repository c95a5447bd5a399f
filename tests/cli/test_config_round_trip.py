"""
What `sink config init` and `sink config show --json` print is the configuration they print.
"""

import json
import os
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pydantic import BaseModel

from sink.cli import cli
from sink.config import Config, load
from sink.config.reference import sections
from sink.config.toml import STARTER, render

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SCALARS = st.one_of(
    st.booleans(), TEXTS, st.integers(-(2**63), 2**63 - 1), st.floats(-1e300, 1e300)
)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

BY_KEY: dict[str, st.SearchStrategy[Any]] = {
    "kafka.bootstrap_servers": TEXTS,
    "kafka.group_id": NAMES,
    "kafka.start": st.one_of(st.sampled_from(["earliest", "latest"]), TIMES),
    "kafka.group_instance_id": TEXTS,
    "kafka.id_namespace": NAMES,
    "kafka.security_protocol": st.sampled_from(["plaintext", "ssl"]),
    "kafka.client": st.dictionaries(TEXTS.map("x-".__add__), SCALARS, max_size=3),
    "elasticsearch.hosts": st.lists(NAMES.map("http://a/".__add__), min_size=1, max_size=3),
    "elasticsearch.client": st.dictionaries(TEXTS.map("x-".__add__), st.lists(SCALARS), max_size=3),
    "bulk.retry_initial_ms": st.integers(1, 1000),
    "bulk.retry_max_ms": st.integers(1000, 2000),
    "dead_letter.topic": NAMES.map("dead.".__add__),
    "park.topic": NAMES.map("parked.".__add__),
    "dead_letter.replication_factor": st.sampled_from([-1, 1, 3]),
    "kibana.url": NAMES.map("http://a/".__add__),
    "kibana.space": NAMES,
    "kibana.setup_on_start": st.just(False),  # true needs the url, which may be left out
    "status.host": TEXTS,
    "routes.index.prefix": TEXTS,
}


def of_schema(key: str, schema: dict[str, Any]) -> st.SearchStrategy[Any] | None:
    """Values of a setting, from its own bounds where the table above says nothing."""
    if key in BY_KEY:
        return BY_KEY[key]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    return st.booleans() if schema.get("type") == "boolean" else None


def tables_of(name: str, model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    schemas = model.model_json_schema()["properties"]
    values = {key: of_schema(f"{name}.{key}", schema) for key, schema in schemas.items()}
    optional = {key: value for key, value in values.items() if value is not None}
    return st.fixed_dictionaries({}, optional=optional)


TOPICS = st.one_of(
    st.fixed_dictionaries({"topics": st.lists(NAMES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"pattern": NAMES.map("log.*".__add__)}),
    # Not "s" or "d": it would read the sink's own topics.
    st.fixed_dictionaries({"prefix": NAMES.map("log-".__add__)}),
)
INDICES = st.one_of(
    tables_of("routes.index", dict(sections())["routes.index"]),
    st.just({"name": "logstash-{topic}-%Y.%m.%d", "zone": "Europe/Berlin"}),
)
FIELDS = st.sampled_from(["level", "http.status", "订单 %", 'a"b', "x\x7f"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=3
)
SHAPES = st.fixed_dictionaries(
    {},
    optional={
        "drop_records": st.dictionaries(
            st.sampled_from(["debug", "health_checks"]),
            st.dictionaries(FIELDS, SCALARS | st.lists(SCALARS, min_size=1), min_size=1),
        ),
        "keep": st.lists(FIELDS),
        "drop": st.lists(FIELDS),
        "rename": st.dictionaries(FIELDS, st.just("new"), max_size=1),
        "add": st.dictionaries(FIELDS, JSON),
        "metadata": st.dictionaries(st.just("kafka"), st.sampled_from(["topic", "headers.a b"])),
    },
)
ROUTES = st.lists(
    st.builds(
        lambda name, topics, index, more: {**more, "name": name, "index": index, **topics},
        TEXTS,
        TOPICS,
        INDICES,
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.just("none"),
                "op_type": st.just("index"),
                "pipeline": TEXTS,
                "repair": st.just("conflict_field"),
                "shape": SHAPES,
            },
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda route: route["name"],
)
CONFIGS = st.fixed_dictionaries(
    {"routes": ROUTES},
    optional={
        name: tables_of(name, model) for name, model in sections() if not name.startswith("routes")
    },
).map(Config.model_validate)


@pytest.fixture(autouse=True, scope="module")
def _no_variables_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith("SINK__"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round") / "sink.toml"


# What TOML writes otherwise than JSON: DEL must be escaped, and no pair of surrogates may stand.
HARD_TEXT = Config.model_validate(
    {"routes": [{"name": '\x00\x7f"\\\r\n\u2028😀', "prefix": "log-"}]}
)


@given(config=CONFIGS)
@example(config=HARD_TEXT)
@hypothesis(max_examples=50, deadline=None)
def test_what_is_printed_parses_back_to_the_same_configuration(file: Path, config: Config) -> None:
    """Both ways round: the commented TOML loads to it, and what `show` prints of that is it."""
    file.write_text(render(config), "utf-8")
    assert load(file) == config

    shown = CliRunner().invoke(cli, ["-c", str(file), "config", "show", "--json"])
    assert Config.model_validate(json.loads(shown.stdout)["config"]) == config


@given(st.data())
@hypothesis(max_examples=50, deadline=None)
def test_any_default_of_the_starting_file_may_be_taken_out_of_its_comment(
    data: st.DataObject,
) -> None:
    """`#name = value` is what holds anyway, unless the line says it is an example."""
    lines = render().splitlines()
    commented = [
        number
        for number, line in enumerate(lines)
        if line.startswith("#") and not line.startswith("# ") and "an example" not in line
    ]
    for number in data.draw(st.sets(st.sampled_from(commented))):
        lines[number] = lines[number][1:]

    assert Config.model_validate(tomllib.loads("\n".join(lines))) == STARTER
