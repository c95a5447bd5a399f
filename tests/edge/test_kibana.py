"""
What Kibana answers, and what stands there instead of it, in words that say what to do.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sink.config import KibanaSettings
from sink.core.data_view import DataView
from sink.edge.kibana import Imported, Kibana, Refused
from sink.errors import ConfigError, Unauthorized, Unavailable
from sink.testing import FakeKibana
from tests.edge.answering import AnsweringServer, Told, closed_port

VIEW = DataView("an-id", "sag-order_20*-*-*", "order")
DASHBOARD = (
    b'{"id":"d","type":"dashboard","attributes":{"title":"Logs"},'
    b'"references":[{"type":"index-pattern","id":"an-id","name":"x"}]}\n'
)
_T = TypeVar("_T")


def ask(url: str, work: Callable[[Kibana], Awaitable[_T]], **settings: Any) -> _T:
    async def asked() -> _T:
        async with Kibana(KibanaSettings(url=url, **settings)) as kibana:
            return await work(kibana)

    return asyncio.run(asked())


def create(kibana: Kibana) -> Awaitable[None]:
    return kibana.create_data_view(VIEW, "@timestamp")


def test_a_data_view_is_created_with_its_time_field_before_its_indices_are_there() -> None:
    with FakeKibana() as fake:
        ask(fake.url, create)

        assert ask(fake.url, Kibana.data_views) == [VIEW]
        held = fake.data_views()["an-id"]
        assert held["timeFieldName"] == "@timestamp"
        assert held["allowNoIndex"] is True
        assert ask(fake.url, lambda kibana: kibana.has_data_view("an-id"))
        assert not ask(fake.url, lambda kibana: kibana.has_data_view("an/other id"))


def test_everything_happens_in_the_space_and_below_the_base_path() -> None:
    with FakeKibana(spaces=["logs"], base_path="/kibana") as fake:
        ask(fake.url, create, space="logs")

        assert "an-id" in fake.data_views("logs") and not fake.data_views()
        assert ask(fake.url, Kibana.data_views, space="logs") == [VIEW]
        assert {each.path.startswith("/kibana/s/logs/") for each in fake.asked} == {True}


def test_a_space_that_is_not_there_is_told() -> None:
    """Kibana itself would take data views for it, and nobody would ever find them."""
    with FakeKibana(spaces=["logs"]) as fake:
        ask(fake.url, Kibana.check_space, space="logs")
        ask(fake.url, Kibana.check_space, space="default")
        with pytest.raises(ConfigError, match=r"kibana\.space: there is no space 'lgos'"):
            ask(fake.url, Kibana.check_space, space="lgos")


def test_one_that_is_there_is_refused_and_stays() -> None:
    with FakeKibana() as fake:
        fake.add_data_view("sag-*", id_="an-id", name="mine")

        with pytest.raises(Refused, match=r"400 Saved object .* conflict") as caught:
            ask(fake.url, create)

        assert caught.value.status == 400
        assert fake.data_views()["an-id"]["name"] == "mine"


def test_a_dashboard_is_imported_once_and_then_left_as_it_is() -> None:
    with FakeKibana() as fake:
        ask(fake.url, create)

        first = ask(fake.url, lambda kibana: kibana.import_objects(DASHBOARD))
        changed = DASHBOARD.replace(b"Logs", b"Log2")
        second = ask(fake.url, lambda kibana: kibana.import_objects(changed))

        assert first == Imported(1, (), ())
        assert second == Imported(0, ("d",), ())
        assert fake.dashboards()["d"]["attributes"]["title"] == "Logs"


def test_a_dashboard_without_its_data_view_is_refused_with_the_reason() -> None:
    with FakeKibana() as fake:
        result = ask(fake.url, lambda kibana: kibana.import_objects(DASHBOARD))

        assert result == Imported(0, (), ("dashboard d: missing_references",))


@pytest.mark.parametrize("right", [{"api_key": "hush-right"}, {"basic_auth": ("me", "hush-right")}])
def test_credentials_are_shown_and_wrong_ones_are_told_without_them(right: Any) -> None:
    with FakeKibana(**right) as fake:
        given = {name: ":".join(v) if isinstance(v, tuple) else v for name, v in right.items()}
        assert ask(fake.url, Kibana.data_views, **given) == []

        for wrong in ({}, dict.fromkeys(given, f"me:{'hush-wrong'}")):
            with pytest.raises(Unauthorized, match="refuses the credentials: GET") as caught:
                ask(fake.url, Kibana.data_views, **wrong)
            assert "hush" not in str(caught.value)


def test_a_secret_file_that_was_replaced_is_used_at_the_next_request(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("old")

    async def work(kibana: Kibana) -> None:
        with pytest.raises(Unauthorized):
            await kibana.data_views()
        file.write_text("new")
        await kibana.data_views()

    with FakeKibana(api_key="new") as fake:
        ask(fake.url, work, api_key_file=file)


def test_who_may_look_and_not_write_is_told_so() -> None:
    with FakeKibana() as fake:
        fake.read_only = True

        with pytest.raises(Unauthorized, match=r"denies the request: POST .* 403 .*unauthorized"):
            ask(fake.url, create)


def test_a_kibana_that_starts_is_not_ready_yet() -> None:
    with FakeKibana() as fake:
        fake.not_ready()

        with pytest.raises(Unavailable, match="is not ready yet"):
            ask(fake.url, Kibana.data_views)


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (200, b"<html>log in</html>", "text/html"),
        (302, b"", "text/html"),
        (200, b"[]", "application/json"),
        (200, b"{", "application/json"),
        (200, b'{"data_view": 3}', "application/json"),
        (200, b'{"data_view": [{}]}', "application/json"),
        (200, b'{"data_view": null}', "application/json"),
        (200, b'{"name":"es-node","cluster_name":"c"}', "application/json"),
        (404, b"not here", "text/plain"),
        (502, b"<html>", "text/html"),
    ],
)
def test_what_is_no_kibana_is_told_as_such_and_never_taken_for_success(
    status: int, body: bytes, content_type: str
) -> None:
    with FakeKibana() as fake:
        fake.proxy(status, body, content_type)

        with pytest.raises(Unavailable, match=r"is no Kibana \(GET /api/data_views"):
            ask(fake.url, Kibana.data_views)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"successCount":"x"}', b'{"successCount":1,"errors":[3]}']
)
def test_an_import_without_a_result_is_no_success(body: bytes) -> None:
    with FakeKibana() as fake:
        fake.proxy(200, body, "application/json")

        with pytest.raises(Unavailable, match="no result of an import"):
            ask(fake.url, lambda kibana: kibana.import_objects(DASHBOARD))


def test_a_failure_of_kibana_itself_is_told_with_its_words() -> None:
    with FakeKibana() as fake:
        fake.proxy(
            500, b'{"statusCode":500,"message":"no\\nshards \\u001b[31m"}', "application/json"
        )

        with pytest.raises(Unavailable, match=r"fails: GET .* → 500 no shards \[31m$"):
            ask(fake.url, Kibana.data_views)


def test_a_kibana_that_is_not_there_is_told_with_its_address() -> None:
    with closed_port() as url, pytest.raises(Unavailable, match=f"{url} does not answer"):
        ask(url, Kibana.data_views)


def test_one_that_gives_no_answer_is_not_waited_for_longer_than_was_said() -> None:
    with (
        AnsweringServer(Told(silent=True)) as server,
        pytest.raises(Unavailable, match="nothing within 150 ms"),
    ):
        ask(server.url, Kibana.data_views, request_timeout_ms=150)


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sink.edge.kibana._ANSWER_BYTES_MAX", 1000)
    with FakeKibana() as fake:
        fake.proxy(200, b'{"data_view":[]}' + b" " * 2000, "application/json")

        with pytest.raises(Unavailable, match="is no Kibana"):
            ask(fake.url, Kibana.data_views)


def test_an_answer_that_is_cut_is_no_answer() -> None:
    cut = Told(body=b'{"data_view":[]}', content_type="application/json", length=500)
    with AnsweringServer(cut) as server, pytest.raises(Unavailable, match="does not answer"):
        ask(server.url, Kibana.data_views)


def test_a_host_that_speaks_no_http_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match="does not answer"):
            ask(url, Kibana.data_views, request_timeout_ms=200)


def test_certificates_that_are_none_are_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(ConfigError, match=r"kibana\.ca_certs: .*ca\.pem"):
        ask("https://127.0.0.1:1", Kibana.data_views, ca_certs=tmp_path / "ca.pem")


def test_without_an_url_there_is_no_kibana_to_ask() -> None:
    with pytest.raises(ConfigError, match=r"kibana\.url must be set"):
        Kibana(KibanaSettings())
