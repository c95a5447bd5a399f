"""
The Elasticsearch edge: one asynchronous client, owned by the event loop it is used in.

The client stays for nodes, authentication, TLS and sniffing. Its retries are off and its helpers
unused: they hide position and attempt, and retry a 429 at once.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import orjson
import structlog
from elastic_transport import (
    TransportError,
)
from elasticsearch import ApiError, AsyncElasticsearch

from sink.config import ElasticsearchSettings
from sink.core.body import Body
from sink.core.outcome import Reply
from sink.core.text_analysis import PLUGINS, of_every_node
from sink.edge.elastic_answers import Refused, explained, reply_of
from sink.edge.template_answers import bodies_of, body_of, first_index
from sink.edge.wire import JSON, NDJSON, BodyInPieces, BulkAnswerAsItIs, gzipped
from sink.errors import ConfigError, Unavailable

log = structlog.get_logger()

# What is asked of a bulk's answer. Without `took` a good one begins with {"errors":false and holds
# nothing but one status a document: it need not be parsed.
FILTER_PATH = "errors,items.*.status,items.*.error,items.*.failure_store"
# What is answered for a path that no handler takes, and by a service that has none of it.
_NO_SUCH_API = (400, 405, 410)
_PATHS = {
    "component": "/_component_template/",
    "index": "/_index_template/",
    "policy": "/_ilm/policy/",
    "alias": "/",
}


class Elastic:
    """
    What the sink asks of Elasticsearch.

    Args:
        settings: Where it is and who we are.
        bulk_timeout_ms: The `timeout` of a bulk: how long a missing primary may hold the answer
            (Elasticsearch's default of one minute would hold all other documents of the bulk).
        connections: Requests at a time.
    Raises:
        ConfigError: The client knows no such argument, or not with such a value.
    """

    def __init__(
        self,
        settings: ElasticsearchSettings,
        *,
        bulk_timeout_ms: int = 5000,
        connections: int = 4,
    ) -> None:
        self._settings = settings
        self._secrets = _secrets(settings)
        try:
            self._client = AsyncElasticsearch(**_arguments(settings, connections))
        except (TypeError, ValueError) as failure:
            raise ConfigError(f"elasticsearch: the client refuses it: {failure}") from failure
        self._target = f"/_bulk?timeout={bulk_timeout_ms}ms&filter_path={FILTER_PATH}"
        self._headers = {"accept": JSON + "; compatible-with=8"}
        self._headers["content-type"] = NDJSON + "; compatible-with=8"
        if settings.compress:
            self._headers["content-encoding"] = "gzip"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        Close all connections.
        """
        await self._client.close()

    async def bulk(self, body: Body) -> Reply:
        """
        Send one bulk, once.

        Returns:
            What came back, whatever it was: refused, cut and unanswered requests included.
        """
        sent = await asyncio.to_thread(gzipped, body) if self._settings.compress else body
        try:
            answer = await self._client.perform_request(
                "POST", self._target, headers=self._headers, body=sent
            )
        except (ApiError, TransportError) as failure:
            return reply_of(failure)
        raw = answer.body
        try:
            told = raw if isinstance(raw, bytes) else orjson.dumps(raw)
        except TypeError:  # nested too deep, or a text without UTF-8: no answer of a bulk
            told = b""
        return Reply(answer.meta.status, told)

    async def ping(self) -> str:
        """
        Ask who is there: the version of Elasticsearch.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        answer = await self.ask("GET", "/")
        return str(answer["version"]["number"])

    async def get_template(self, kind: str, name: str) -> dict[str, object] | None:
        """
        Read a template, a lifecycle policy or an alias.

        Args:
            kind: `component`, `index`, `policy` or `alias`.
        Returns:
            Its body; None when there is none of that name. Of an alias, and of an index that has
            its name: `aliases`, empty for the index.
        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        only = "?filter_path=*.aliases" if kind == "alias" else ""
        try:
            answer = await self.ask("GET", f"{_PATHS[kind]}{quote(name, safe='')}{only}")
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return body_of(kind, name, answer)

    async def has_ilm(self) -> bool:
        """
        Tell whether the cluster has index lifecycle management. Source: "Get lifecycle policy API".

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        # Not by its status: a node without it answers that with 405, which the client takes for
        # the end of the node. This path it does not know, 400; where it does, there is none, 404.
        try:
            await self.get_template("policy", "sink")
        except Refused as refused:
            if refused.status in _NO_SUCH_API:
                return False
            raise
        return True

    async def plugins(self) -> frozenset[str] | None:
        """
        Tell the plugins and modules that every node has; None where we may not know.
        """
        with suppress(Refused):  # without the privilege monitor, or as a service
            return of_every_node(await self.ask("GET", PLUGINS))
        return None

    async def get_templates(self, kind: str) -> dict[str, dict[str, object]]:
        """
        Read all templates of a kind: name → body.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        return bodies_of(kind, await self.ask("GET", _PATHS[kind].rstrip("/")))

    async def put_template(self, kind: str, name: str, body: Mapping[str, object]) -> None:
        """
        Create a template or put a newer one in its place; a policy; the first index of an alias.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        sent = {"policy": body} if kind == "policy" else body
        target = first_index(name) if kind == "alias" else name
        try:
            await self.ask("PUT", f"{_PATHS[kind]}{quote(target, safe='')}", sent)
        except Refused as refused:  # another sink may have made the first index meanwhile
            if kind != "alias" or refused.error_type != "resource_already_exists_exception":
                raise

    async def simulate_index(self, index: str) -> dict[str, object]:
        """
        Ask what settings and mappings an index of a name would get.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        return await self.ask("POST", f"{_PATHS['index']}_simulate_index/{quote(index, safe='')}")

    async def refresh_credentials(self) -> None:
        """
        Read the secret files again; where one was replaced, use the new secret from now on.
        """
        try:
            secrets = _secrets(self._settings)
        except ConfigError as failure:
            log.warning("secret file unreadable, the old secret is kept", reason=str(failure))
            return
        if secrets != self._secrets:
            self._secrets = secrets
            self._client = self._client.options(**secrets)

    async def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """
        Ask for JSON.

        Raises:
            Refused: With the status, any but 401 and 403.
            Unauthorized, Unavailable: With the reason.
        """
        headers = {"accept": JSON + "; compatible-with=8"}
        if body is not None:
            headers["content-type"] = headers["accept"]
        try:
            answer = await self._client.perform_request(method, path, headers=headers, body=body)
        except (ApiError, TransportError) as failure:
            raise explained(failure, f"{method} {path}") from failure
        if not isinstance(answer.body, dict):
            said = repr(answer.body)[:200]
            raise Unavailable(f"Elasticsearch answers no JSON object ({method} {path}): {said}")
        return answer.body


def _arguments(settings: ElasticsearchSettings, connections: int) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "hosts": list(settings.hosts),
        "ca_certs": str(settings.ca_certs) if settings.ca_certs else None,
        "client_cert": str(settings.client_cert) if settings.client_cert else None,
        "client_key": str(settings.client_key) if settings.client_key else None,
        "request_timeout": settings.request_timeout_ms / 1000,
        "connections_per_node": connections,
        "max_retries": 0,
        "retry_on_timeout": False,
        "serializers": {
            NDJSON: BodyInPieces(),
            **dict.fromkeys(
                ("text/*", "application/*", "application/json", JSON), BulkAnswerAsItIs()
            ),
        },
        **_secrets(settings),
    }
    if any(str(host).startswith("https") for host in settings.hosts):
        wanted["verify_certs"] = settings.verify_certs
    return {k: v for k, v in wanted.items() if v is not None} | dict(settings.client)


def _secrets(settings: ElasticsearchSettings) -> dict[str, Any]:
    key, basic = settings.read_api_key(), settings.read_basic_auth()
    if key is not None:
        return {"api_key": key}
    return {"basic_auth": basic} if basic is not None else {}
