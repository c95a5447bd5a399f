"""
The [elasticsearch] section: the nodes, the credentials, TLS.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    JsonValue,
    PlainSerializer,
    model_validator,
)

from sink.config.section import (
    Secret,
    Section,
    Words,
    check_credentials,
    json_text,
    masked_table,
    read_secret,
    read_user,
    refuse_owned,
    url_fault,
)

_RETRIES = "it retries by itself, see bulk.retry_initial_ms and bulk.retry_max_ms"
_BYTES = "it sends and reads the bytes with serializers of its own"

# Arguments of elasticsearch.AsyncElasticsearch, old names of them included.
OWNED = {
    "hosts": "use elasticsearch.hosts",
    "cloud_id": "use elasticsearch.hosts",
    "api_key": "use elasticsearch.api_key or elasticsearch.api_key_file",
    "basic_auth": "use elasticsearch.basic_auth or elasticsearch.basic_auth_file",
    "http_auth": "use elasticsearch.basic_auth or elasticsearch.basic_auth_file",
    "ca_certs": "use elasticsearch.ca_certs",
    "client_cert": "use elasticsearch.client_cert",
    "client_key": "use elasticsearch.client_key",
    "verify_certs": "use elasticsearch.verify_certs",
    "request_timeout": "use elasticsearch.request_timeout_ms",
    "timeout": "use elasticsearch.request_timeout_ms",
    "http_compress": "use elasticsearch.compress",
    "max_retries": _RETRIES,
    "retry_on_status": _RETRIES,
    "retry_on_timeout": _RETRIES,
    "serializer": _BYTES,
    "serializers": _BYTES,
    "default_mimetype": _BYTES,
}


def _node_urls(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """
    Check each URL without ever repeating one that may hold a password.
    """
    for number, host in enumerate(hosts, start=1):
        fault = url_fault(host, "a node", "http://localhost:9200", "elasticsearch")
        if fault:
            raise ValueError(f"number {number} {fault}")
    return hosts


class ElasticsearchSettings(Section):
    """
    Where documents go.
    """

    hosts: Annotated[Words, AfterValidator(_node_urls)] = Field(
        default=("http://localhost:9200",),
        min_length=1,
        description="URLs of the nodes, without credentials.",
    )
    api_key: Secret | None = Field(
        default=None,
        min_length=1,
        examples=["…"],
        description="API key, the field `encoded` of the answer that created it. At most one kind "
        "of credential may be set. Better in the environment or in a file.",
    )
    api_key_file: Path | None = Field(
        default=None,
        examples=["/run/secrets/elasticsearch-api-key"],
        description="File that holds the API key. It may be replaced while the sink runs.",
    )
    basic_auth: Secret | None = Field(
        default=None,
        min_length=1,
        examples=["…"],
        description="User and password, as user:password.",
    )
    basic_auth_file: Path | None = Field(
        default=None,
        examples=["/run/secrets/elasticsearch-user"],
        description="File that holds user:password. It may be replaced while the sink runs.",
    )
    ca_certs: FilePath | None = Field(
        default=None,
        examples=["/etc/sink/elasticsearch-ca.pem"],
        description="Certificates of the authorities that signed the nodes' certificates.",
    )
    client_cert: FilePath | None = Field(
        default=None,
        examples=["/etc/sink/client.pem"],
        description="Certificate the sink shows to the nodes.",
    )
    client_key: FilePath | None = Field(
        default=None, examples=["/etc/sink/client.key"], description="Key of that certificate."
    )
    verify_certs: bool = Field(
        default=True, description="Check the nodes' certificates. false is for trials only."
    )
    request_timeout_ms: int = Field(
        default=30_000, ge=1, le=600_000, description="Longest wait for the answer to one request."
    )
    compress: bool = Field(
        default=False, description="Send bodies with gzip: less network, more CPU at both ends."
    )
    client: Annotated[
        dict[str, JsonValue],
        BeforeValidator(json_text),
        AfterValidator(refuse_owned(OWNED)),
        PlainSerializer(masked_table),
    ] = Field(
        default_factory=dict,
        repr=False,
        examples=[{"connections_per_node": 20}],
        description="Further arguments of the Python client (AsyncElasticsearch), passed on as "
        "they are. Those the sink sets itself are refused.",
    )

    def read_api_key(self) -> str | None:
        """
        Return the API key, read from its file at each call.

        Raises:
            ConfigError: The file cannot be read or is empty.
        """
        return read_secret(self.api_key, self.api_key_file)

    def read_basic_auth(self) -> tuple[str, str] | None:
        """
        Return user and password, read from their file at each call.

        Raises:
            ConfigError: The file cannot be read or is empty.
        """
        return read_user(self.basic_auth, self.basic_auth_file)

    @model_validator(mode="after")
    def _credentials_fit_together(self) -> Self:
        others = [f"client.{name}" for name in ("bearer_auth",) if name in self.client]
        check_credentials(
            self.api_key, self.api_key_file, self.basic_auth, self.basic_auth_file, others
        )
        if self.client_key and not self.client_cert:
            raise ValueError("client_key needs the client_cert it belongs to")
        return self
