"""
The Kibana edge: data views, saved objects and spaces over HTTP.

Source: Kibana's published API description ("Data views", "Saved objects", "Spaces"). Every answer
that is not Kibana's own is an error that says what stands there instead.
"""

import hashlib
import ssl
from base64 import b64encode
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import aiohttp
import orjson

from sink.config import KibanaSettings
from sink.core.data_view import DEFAULT_SPACE, DataView, space_path
from sink.errors import ConfigError, Unauthorized, Unavailable

# The oldest version of the public API; Kibana before 8.10 does not look at the header.
_VERSION = "2023-10-31"
_JSON = "application/json"
_ANSWER_BYTES_MAX = 16 * 1024 * 1024  # thousands of data views are 1 MB
_SAID_CHARS_MAX = 300


class Refused(Unavailable):
    """
    Kibana answers, and it is no: 400, 404, 409 or another of the 4xx.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Imported(NamedTuple):
    """
    What became of saved objects.
    """

    created: int
    there: tuple[str, ...]  # ids that were there and were left as they are
    refused: tuple[str, ...]  # with the reason


class Kibana:
    """
    What the sink asks of Kibana. An asynchronous context manager.

    Args:
        settings: With an url.
    Raises:
        ConfigError: There is no url, or the certificates cannot be read.
    """

    def __init__(self, settings: KibanaSettings) -> None:
        if settings.url is None:
            raise ConfigError("kibana.url must be set: the URL of Kibana, as http://localhost:5601")
        self._url = settings.url
        self._settings = settings
        self._tls = _tls(settings)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        seconds = self._settings.request_timeout_ms / 1000
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=1),
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def check_space(self) -> None:
        """
        See that the space is there: Kibana would take data views for one that is not.

        Raises:
            ConfigError: It is not.
            Unauthorized, Unavailable: With the reason.
        """
        space = self._settings.space
        if space in (None, DEFAULT_SPACE):
            return
        try:
            await self._ask("GET", f"/api/spaces/space/{space}", in_space=False)
        except Refused as refused:
            if refused.status != 404:
                raise
            raise ConfigError(
                f"kibana.space: there is no space {space!r} at {self._url}, or the user may not "
                "see it: create it, or correct the setting"
            ) from refused

    async def data_views(self) -> list[DataView]:
        """
        List the data views of the space that the user may see.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        path = "/api/data_views"
        answer = await self._ask("GET", path)
        try:
            return [
                DataView(str(v["id"]), str(v["title"]), str(v.get("name") or v["title"]))
                for v in answer["data_view"]
            ]
        except (KeyError, TypeError, AttributeError) as failure:
            raise self._no_kibana(f"GET {path}", "no list of data views") from failure

    async def has_data_view(self, id_: str) -> bool:
        """
        Tell whether a data view is there.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            await self._ask("GET", f"/api/data_views/data_view/{quote(id_, safe='')}")
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    async def create_data_view(self, view: DataView, time_field: str) -> None:
        """
        Create a data view. Its indices need not be there yet. Never replaces one.

        Raises:
            Refused: One of that id or name is there, or the user may not.
            Unauthorized, Unavailable: With the reason.
        """
        spec = {**view._asdict(), "timeFieldName": time_field, "allowNoIndex": True}
        body = orjson.dumps({"data_view": spec, "override": False})
        await self._ask("POST", "/api/data_views/data_view", body, _JSON)

    async def import_objects(self, ndjson: bytes) -> Imported:
        """
        Import saved objects. Those that are there stay as they are.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        path = "/api/saved_objects/_import?overwrite=false"
        boundary = hashlib.sha256(ndjson).hexdigest()  # cannot be in what it is the digest of
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            'name="file"; filename="sink.ndjson"\r\nContent-Type: application/ndjson\r\n\r\n'
        )
        body = b"%b%b\r\n--%b--\r\n" % (head.encode(), ndjson, boundary.encode())
        answer = await self._ask("POST", path, body, f"multipart/form-data; boundary={boundary}")
        try:
            failed = [(e["error"]["type"], e["type"], e["id"]) for e in answer.get("errors") or ()]
            created = int(answer["successCount"])
        except (KeyError, TypeError, ValueError, AttributeError) as failure:
            raise self._no_kibana(f"POST {path}", "no result of an import") from failure
        return Imported(
            created,
            tuple(str(id_) for error, _, id_ in failed if error == "conflict"),
            tuple(f"{kind} {id_}: {error}" for error, kind, id_ in failed if error != "conflict"),
        )

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "",
        *,
        in_space: bool = True,
    ) -> dict[str, Any]:
        """
        Ask for a JSON object.
        """
        assert self._session is not None, "used outside of its context"
        target = (space_path(self._settings.space) if in_space else "") + path
        what = f"{method} {target}"
        headers = self._headers() | ({"content-type": content_type} if body is not None else {})
        try:
            async with self._session.request(
                method,
                self._url + target,
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                raw = await _read(response)
        except TimeoutError as failure:
            waited = f"nothing within {self._settings.request_timeout_ms} ms"
            raise self._unanswered(what, waited) from failure
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            raise self._unanswered(what, str(failure)) from failure
        return self._judged(what, response, raw)

    def _headers(self) -> dict[str, str]:
        headers = {"kbn-xsrf": "sink", "elastic-api-version": _VERSION, "accept": _JSON}
        key, basic = self._settings.read_api_key(), self._settings.read_basic_auth()
        if key is not None:
            headers["authorization"] = f"ApiKey {key}"
        if basic is not None:
            headers["authorization"] = f"Basic {b64encode(':'.join(basic).encode()).decode()}"
        return headers

    def _judged(
        self, what: str, response: aiohttp.ClientResponse, raw: bytes | None
    ) -> dict[str, Any]:
        status = response.status
        if status == 503:
            raise Unavailable(f"Kibana at {self._url} is not ready yet ({what} → 503)")
        answer = _parsed(raw) if response.content_type == _JSON else None
        if status == 200 and answer is not None:
            return answer
        said = _said(answer)
        if status == 401:
            raise Unauthorized(f"Kibana refuses the credentials: {what} → 401 {said}")
        if status == 403:
            raise Unauthorized(f"Kibana denies the request: {what} → 403 {said}")
        if answer is None:
            found = f"{status} {response.content_type}" if raw is not None else "more than 16 MiB"
            raise self._no_kibana(what, found)
        if 400 <= status < 500:
            raise Refused(f"Kibana refuses: {what} → {status} {said}", status)
        raise Unavailable(f"Kibana at {self._url} fails: {what} → {status} {said}")

    def _unanswered(self, what: str, why: str) -> Unavailable:
        return Unavailable(f"Kibana at {self._url} does not answer ({what}): {why}")

    def _no_kibana(self, what: str, found: str) -> Unavailable:
        return Unavailable(
            f"what answers at {self._url} is no Kibana ({what} → {found}): a proxy or "
            "its login page, or kibana.url lacks the server.basePath"
        )


def _tls(settings: KibanaSettings) -> ssl.SSLContext | bool:
    if not settings.verify_certs:
        return False
    if settings.ca_certs is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(settings.ca_certs))
    except (OSError, ValueError) as failure:
        raise ConfigError(
            f"kibana.ca_certs: {settings.ca_certs} holds no certificates: {failure}"
        ) from failure


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """
    Read an answer; None for one that is too long.
    """
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > _ANSWER_BYTES_MAX:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _parsed(raw: bytes | None) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(raw or b"")
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _said(answer: Mapping[str, Any] | None) -> str:
    """
    Read the message of an error, on one line.
    """
    message = str((answer or {}).get("message") or "")
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return line[:_SAID_CHARS_MAX]
