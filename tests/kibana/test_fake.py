"""
The fake Kibana is strict: what the API description forbids is refused as Kibana refuses it.
"""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from sink.testing import FakeKibana

CREATE = "/api/data_views/data_view"
IMPORT = "/api/saved_objects/_import"
JSON = {"content-type": "application/json", "kbn-xsrf": "x"}
FORM = {"content-type": "multipart/form-data; boundary=b", "kbn-xsrf": "x"}
OBJECT = '{"id":"d","type":"dashboard","attributes":{"title":"t"},"references":[]}'


def ask(
    fake: FakeKibana, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    url = urlsplit(fake.url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request(method, path, body.encode(), headers or {})
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        return answer.status, told
    finally:
        connection.close()


def view(**spec: object) -> str:
    return json.dumps({"data_view": {"title": "a-*", **spec}})


def form(text: str = OBJECT, name: str = "file", filename: str = "a.ndjson") -> str:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"--b\r\n{head}\r\n\r\n{text}\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        (view(), {"content-type": "application/json"}, 400, "must contain a kbn-xsrf header"),
        (view(), {**JSON, "content-type": "text/plain"}, 415, "Unsupported Media Type"),
        (view(), {"kbn-xsrf": "x"}, 415, "Unsupported Media Type"),
        (view(), {**JSON, "elastic-api-version": "2020-01-01"}, 400, "No version"),
        ("{", JSON, 400, "Invalid request payload JSON format"),
        ("[]", JSON, 400, "[request body]: expected a plain object value"),
        ("{}", JSON, 400, "[request body.data_view]: expected value of type [object]"),
        ('{"data_view":{}}', JSON, 400, "[request body.data_view.title]: expected value of type"),
        (
            view(timeField="t"),
            JSON,
            400,
            "data_view.timeField]: definition for this key is missing",
        ),
        (view(allowNoIndex="yes"), JSON, 400, "data_view.allowNoIndex]: expected value of"),
        ('{"data_view":{"title":"a"},"force":true}', JSON, 400, "[request body.force]: definition"),
    ],
)
def test_a_data_view_that_is_asked_for_in_another_way_is_refused(
    body: str, headers: dict[str, str], status: int, message: str
) -> None:
    with FakeKibana() as fake:
        answer = ask(fake, "POST", CREATE, body, headers)

        assert answer[0] == answer[1]["statusCode"] == status
        assert message in answer[1]["message"]
        assert fake.data_views() == {}


def test_a_data_view_of_the_same_id_name_or_title_is_refused() -> None:
    with FakeKibana(spaces=["b"]) as fake:
        assert ask(fake, "POST", CREATE, view(id="1", name="n"), JSON)[0] == 200

        for body in (view(id="2"), view(title="b", name="n"), view(title="b", id="1")):
            assert ask(fake, "POST", CREATE, body, JSON)[0] == 400
        assert ask(fake, "POST", "/s/b" + CREATE, view(id="1"), JSON)[0] == 400
        assert ask(fake, "POST", "/s/b" + CREATE, view(id="3"), JSON)[0] == 200
        overriding = json.dumps({"data_view": {"title": "a-*", "id": "9"}, "override": True})
        assert ask(fake, "POST", CREATE, overriding, JSON)[0] == 200
        assert list(fake.data_views()) == ["9"]


def test_a_data_view_is_answered_whole_and_listed() -> None:
    with FakeKibana() as fake:
        _, made = ask(fake, "POST", CREATE, view(id="1", timeFieldName="t"), JSON)

        assert ask(fake, "GET", f"{CREATE}/1") == (200, made)
        assert made["data_view"]["name"] == "a-*"
        assert made["data_view"]["fields"] == {}
        (listed,) = ask(fake, "GET", "/api/data_views")[1]["data_view"]
        assert (listed["id"], listed["title"], listed["name"]) == ("1", "a-*", "a-*")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/data_view"),
        ("GET", f"{CREATE}/none"),
        ("GET", "/api/spaces/space/none"),
        ("PUT", CREATE),
        ("DELETE", f"{CREATE}/1"),
        ("POST", "/api/data_views"),
        ("POST", "/api/saved_objects/dashboard/1"),
    ],
)
def test_what_is_not_there_is_not_found(method: str, path: str) -> None:
    with FakeKibana() as fake:
        status, told = ask(fake, method, path, headers=JSON)

        assert (status, told["error"]) == (404, "Not Found")


@pytest.mark.parametrize("right", ["", "Basic bWU6cHc=", "ApiKey other"])
def test_without_the_right_credentials_nothing_is_answered(right: str) -> None:
    with FakeKibana(api_key="k") as fake:
        assert ask(fake, "GET", "/api/data_views", headers={"authorization": right})[0] == 401
        assert ask(fake, "POST", CREATE, view(), JSON | {"authorization": right})[0] == 401
        assert ask(fake, "GET", "/api/data_views", headers={"authorization": "ApiKey k"})[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        (IMPORT, form(), {"content-type": FORM["content-type"]}, 400, "kbn-xsrf"),
        (IMPORT, form(), JSON, 415, "Unsupported Media Type"),
        (IMPORT, "no form", FORM, 400, "Invalid multipart payload format"),
        (IMPORT, form(name="files"), FORM, 400, "[request body.file]"),
        (IMPORT, form(filename="a.json"), FORM, 400, "Invalid file extension .json"),
        (IMPORT, form("{"), FORM, 400, ""),
        (IMPORT, form('{"id":"x"}'), FORM, 400, "Invalid saved object"),
        (IMPORT + "?overwrit=true", form(), FORM, 400, "[request query.overwrit]: definition"),
        (IMPORT + "?overwrite=1", form(), FORM, 400, "expected value of type [boolean]"),
        (
            IMPORT + "?overwrite=true&createNewCopies=true",
            form(),
            FORM,
            400,
            "cannot use [overwrite] with [createNewCopies]",
        ),
    ],
)
def test_an_import_in_another_form_is_refused(
    path: str, body: str, headers: dict[str, str], status: int, message: str
) -> None:
    with FakeKibana() as fake:
        answer = ask(fake, "POST", path, body, headers)

        assert answer[0] == status
        assert message in answer[1]["message"]
        assert fake.dashboards() == {}


def test_an_import_tells_what_became_of_each_object() -> None:
    other = OBJECT.replace('"d"', '"e"').replace("dashboard", "wigwags")
    lost = OBJECT.replace("[]", '[{"type":"index-pattern","id":"none","name":"x"}]')
    with FakeKibana() as fake:
        first = ask(fake, "POST", IMPORT, form(), FORM)[1]
        again = ask(fake, "POST", IMPORT, form(f"{OBJECT}\n{other}\n"), FORM)[1]
        over = ask(fake, "POST", IMPORT + "?overwrite=true", form(lost), FORM)[1]

    assert (first["success"], first["successCount"]) == (True, 1)
    assert (again["success"], again["successCount"]) == (False, 0)
    assert [each["error"]["type"] for each in again["errors"]] == ["conflict", "unsupported_type"]
    assert over["errors"][0]["error"]["references"] == [{"type": "index-pattern", "id": "none"}]


def test_while_it_starts_it_says_when_to_come_again() -> None:
    with FakeKibana() as fake:
        fake.not_ready()
        url = urlsplit(fake.url)
        connection = HTTPConnection(url.hostname or "", url.port, timeout=10)
        connection.request("GET", "/api/data_views")
        answer = connection.getresponse()
        told = answer.read()
        connection.close()

    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert told == b"Kibana server is not ready yet"
