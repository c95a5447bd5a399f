"""
Secrets: never shown, and read from their files anew at each use.
"""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sink.config import Config, effective, load
from sink.config.toml import render
from sink.errors import ConfigError
from tests.configuring import ROUTE, refusal, written

pytestmark = pytest.mark.usefixtures("empty_folder")


def config_of(**tables: Any) -> Config:
    return Config.model_validate({"routes": [{"name": "logs", "prefix": "log-"}], **tables})


def test_secrets_are_masked_wherever_a_configuration_is_shown() -> None:
    path = written(
        "[kafka]\nsecurity_protocol = 'sasl_ssl'\nsasl_mechanism = 'PLAIN'\nsasl_username = 'me'\n"
        "sasl_password = 'hush-1'\nclient = { 'ssl.key.password' = 'hush-2', 'debug' = 'msg' }\n"
        "[elasticsearch]\napi_key = 'hush-3'\nclient = { headers = { x = 'hush-4' } }\n" + ROUTE
    )

    rows = {row.key: row.value for row in effective(path)}

    assert rows["kafka.sasl_password"] == "********"
    assert rows["elasticsearch.api_key"] == "********"
    assert rows["kafka.client"] == {"ssl.key.password": "********", "debug": "msg"}
    assert rows["elasticsearch.client"] == {"headers": "********"}
    config = load(path)
    assert "hush" not in f"{rows} {config!r} {config} {config.model_dump_json()} {render(config)}"


def test_an_error_never_repeats_a_secret() -> None:
    lines = refusal(
        "[elasticsearch]\napi_key = 31337\nbasic_auth = 'hush'\nhosts = ['http://me:hush@a']\n"
        "client = { api_key = 'hush' }\n" + ROUTE
    )

    assert len(lines) == 3
    assert "hush" not in str(lines)
    assert "31337" not in str(lines)


def test_the_error_of_a_configuration_built_in_code_never_repeats_a_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        config_of(elasticsearch={"api_key": ["hush"]})

    assert "hush" not in str(caught.value)


def test_a_secret_is_read_from_its_file_at_each_use() -> None:
    key, pair, password = Path("key"), Path("pair"), Path("password")
    key.write_text("old\n")
    pair.write_text("me:a:b")
    password.write_text("pass word ")
    by_key = config_of(elasticsearch={"api_key_file": "key"}).elasticsearch
    by_pair = config_of(elasticsearch={"basic_auth_file": "pair"}).elasticsearch
    sasl = {"security_protocol": "sasl_ssl", "sasl_mechanism": "PLAIN", "sasl_username": "me"}
    by_password = config_of(kafka={**sasl, "sasl_password_file": "password"}).kafka

    assert by_key.read_api_key() == "old"
    assert by_pair.read_basic_auth() == ("me", "a:b")
    assert by_password.read_sasl_password() == "pass word "
    key.write_text("new\n")
    assert by_key.read_api_key() == "new"
    key.unlink()
    with pytest.raises(ConfigError, match="the secret's file key cannot be read: No such file"):
        by_key.read_api_key()


def test_a_secret_may_stand_in_the_configuration_or_be_absent() -> None:
    assert config_of(elasticsearch={"api_key": "k"}).elasticsearch.read_api_key() == "k"
    assert config_of().elasticsearch.read_api_key() is None
    assert config_of().elasticsearch.read_basic_auth() is None
    assert config_of().kafka.read_sasl_password() is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file"),
        (b"\n", "is empty"),
        (b"\xff", "cannot be read: it is not UTF-8"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_refused_at_load(
    content: bytes | None, why: str
) -> None:
    if content is not None:
        Path("key").write_bytes(content)

    (line,) = refusal("[elasticsearch]\napi_key_file = 'key'\n" + ROUTE)

    assert line.startswith(f"file sink.toml: elasticsearch: the secret's file key {why}")
