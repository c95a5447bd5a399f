"""
The credentials for Elasticsearch: replaced while it runs, and never told.
"""

import logging
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sink.edge.elastic import Elastic
from sink.errors import Unauthorized
from tests.edge.answering import AnsweringServer, Told
from tests.edge.asking import BODY, TOLD_GOOD, UNAUTHORIZED, ask


@pytest.mark.parametrize(
    ("kind", "old", "new", "headers"),
    [
        ("api_key_file", "b2xk", "bmV3", ["ApiKey b2xk", "ApiKey bmV3"]),
        ("basic_auth_file", "me:old", "me:new", ["Basic bWU6b2xk", "Basic bWU6bmV3"]),
    ],
)
def test_a_credential_replaced_in_its_file_is_used_from_then_on(
    kind: str, old: str, new: str, headers: list[str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(old + "\n")

    async def before_and_after(elastic: Elastic) -> None:
        await elastic.bulk(BODY)
        secret.write_text(new + "\n")
        await elastic.refresh_credentials()
        await elastic.bulk(BODY)

    with AnsweringServer(UNAUTHORIZED, TOLD_GOOD) as server:
        ask(server.url, before_and_after, **{kind: secret})
        sent = [asked.headers["authorization"] for asked in server.asked]

    assert headers == sent


def test_while_the_file_is_unreadable_the_old_credential_is_kept(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("b2xk")

    async def before_and_after(elastic: Elastic) -> None:
        secret.unlink()
        await elastic.refresh_credentials()
        await elastic.bulk(BODY)

    with AnsweringServer(TOLD_GOOD) as server, capture_logs() as logs:
        ask(server.url, before_and_after, api_key_file=secret)
        (asked,) = server.asked

    assert asked.headers["authorization"] == "ApiKey b2xk"
    assert [line["log_level"] for line in logs] == ["warning"]


@pytest.mark.parametrize("setting", ["api_key", "basic_auth"])
@pytest.mark.parametrize("answer", [UNAUTHORIZED, TOLD_GOOD])
def test_no_secret_is_ever_told(
    setting: str, answer: Told, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """
    Neither by the sink nor, at its most talkative, by the client.
    """
    secret = tmp_path / "secret"
    secret.write_text("me:hush-hush")
    told: list[str] = []

    async def everything(elastic: Elastic) -> None:
        told.extend([repr(elastic), str(elastic), repr(await elastic.bulk(BODY))])
        secret.unlink()
        await elastic.refresh_credentials()
        with pytest.raises(Unauthorized) as caught:
            await elastic.ping()
        told.extend([repr(caught.value), repr(caught.value.__cause__)])

    with (
        caplog.at_level(logging.DEBUG),
        capture_logs() as logs,
        AnsweringServer(answer, UNAUTHORIZED) as server,
    ):
        ask(server.url, everything, **{f"{setting}_file": secret})
        authorization = server.asked[0].headers["authorization"].split()[1]

    everything_told = f"{told} {logs} {caplog.text}"
    assert "hush" not in everything_told
    assert authorization not in everything_told
