"""
The [kibana] section: where the logs are looked at, and what the sink sets up there.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FilePath, model_validator

from sink.config.section import (
    Secret,
    Section,
    check_credentials,
    read_secret,
    read_user,
    url_fault,
)


def _url(value: str) -> str:
    fault = url_fault(value, "Kibana", "http://localhost:5601", "kibana")
    if fault:
        raise ValueError(fault)
    return value.rstrip("/")


class KibanaSettings(Section):
    """
    Where the logs are looked at. Without `url` nothing is asked of Kibana.
    """

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        examples=["http://localhost:5601"],
        description="URL of Kibana, its server.basePath included, without credentials.",
    )
    public_url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        examples=["https://kibana.example.com"],
        description="URL under which people reach Kibana, for links. Without it: url.",
    )
    space: str | None = Field(
        default=None,
        min_length=1,
        pattern=r"^[a-z0-9_-]+$",
        examples=["logs"],
        description="Space of the data views and of the dashboard, by its identifier; it must be "
        "there. Without it: the default space.",
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
        examples=["/run/secrets/kibana-api-key"],
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
        examples=["/run/secrets/kibana-user"],
        description="File that holds user:password. It may be replaced while the sink runs.",
    )
    ca_certs: FilePath | None = Field(
        default=None,
        examples=["/etc/sink/kibana-ca.pem"],
        description="Certificates of the authorities that signed Kibana's certificate.",
    )
    verify_certs: bool = Field(
        default=True, description="Check Kibana's certificate. false is for trials only."
    )
    request_timeout_ms: int = Field(
        default=10_000, ge=1, le=600_000, description="Longest wait for the answer to one request."
    )
    setup_on_start: bool = Field(
        default=False,
        description="Make the missing data views at start and as topics appear, beside the work: "
        "a failure is logged and tried again. Needs url.",
    )
    data_views_max: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="Most data views that are set up. Topics beyond them get none, and the log "
        "says so.",
    )

    @property
    def link_url(self) -> str:
        """
        The URL that links begin with; empty where no Kibana is configured.
        """
        return self.public_url or self.url or ""

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
    def _fits_together(self) -> Self:
        check_credentials(self.api_key, self.api_key_file, self.basic_auth, self.basic_auth_file)
        if self.setup_on_start and self.url is None:
            raise ValueError("setup_on_start needs the url of Kibana")
        return self
