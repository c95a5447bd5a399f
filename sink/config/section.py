"""
What the sections share: frozen models, the forms a value may come in, secrets.

No setting is declared here and nothing but a secret's own file is read.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    PlainSerializer,
    SecretStr,
)

from sink.errors import ConfigError

MASK = "********"

# A topic name as the broker accepts it (org.apache.kafka.common.internals.Topic).
_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")

# Keys of a pass-through table that hold a secret: librdkafka's ssl.key.password, ssl.key.pem and
# sasl.oauthbearer.client.secret, the Elasticsearch client's bearer_auth and headers.
_SECRET_KEY = re.compile(
    r"pass(word|phrase)|secret|token|auth$|headers|private|\.pem$|\.config$", re.IGNORECASE
)

Table = TypeVar("Table", bound=Mapping[str, object])


class Section(BaseModel):
    """
    Base of every section: it never changes after loading and knows all its keys.
    """

    # Without hide_input_in_errors the text of a validation error would show a mistyped secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def json_text(value: object) -> object:
    """
    Decode a value that came as text, which is all the environment can hold.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"is a list or a table and must be JSON here: {error}") from error


def comma_text(value: object) -> object:
    """
    Split text into a list: a JSON list, or plain words between commas.
    """
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json_text(value)
    return tuple(part.strip() for part in value.split(",") if part.strip())


def topic_name(value: str) -> str:
    """
    Refuse what no broker would take as the name of a topic.
    """
    if not _TOPIC.fullmatch(value):
        raise ValueError(
            f"{value!r} is no topic name: up to 249 letters, digits, '.', '_' and '-' are allowed"
        )
    return value


def refuse_owned(owned: Mapping[str, str]) -> Callable[[Table], Table]:
    """
    Build the check of a pass-through table.

    Args:
        owned: Keys the sink sets itself (`*` stands for any text), each with what to do instead.
    """

    def check(table: Table) -> Table:
        problems = [
            f"{key} belongs to the sink: {instead}"
            for key in table
            for pattern, instead in owned.items()
            if fnmatchcase(key, pattern)
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return table

    return check


def masked_table(table: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """
    Hide the values of a pass-through table whose key speaks of a secret.
    """
    return {key: MASK if _SECRET_KEY.search(key) else value for key, value in table.items()}


def url_fault(url: str, what: str, example: str, section: str) -> str | None:
    """
    Say what is wrong with a server's URL, without ever repeating one that may hold a password.

    Args:
        what: Whose URL it should be.
        section: Where the credentials belong.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return f"is no URL of {what}, as {example}"
    if "@" in parts.netloc:
        return (
            "holds a user or a password, which would end in logs: "
            f"use {section}.basic_auth or {section}.api_key"
        )
    return (
        f"holds a query or a fragment: {what} has none" if parts.query or parts.fragment else None
    )


def read_secret(inline: SecretStr | None, file: Path | None) -> str | None:
    """
    Return a secret from its file, read anew at each call, or from the configuration.

    Raises:
        ConfigError: The file cannot be read or is empty.
    """
    if file is None:
        return _fit_for_a_header(inline.get_secret_value(), "it") if inline else None
    try:
        text = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"the secret's file {file} cannot be read: {reason}") from error
    if not text:
        raise ConfigError(f"the secret's file {file} is empty: write the secret into it")
    return _fit_for_a_header(text, f"the secret's file {file}")


def read_user(inline: SecretStr | None, file: Path | None) -> tuple[str, str] | None:
    """
    Return user and password out of user:password.

    Raises:
        ConfigError: As `read_secret`.
    """
    text = read_secret(inline, file)
    if text is None:
        return None
    user, _, password = text.partition(":")
    return user, password


def check_credentials(
    api_key: SecretStr | None,
    api_key_file: Path | None,
    basic_auth: SecretStr | None,
    basic_auth_file: Path | None,
    others: Sequence[str] = (),
) -> None:
    """
    Check that at most one kind of credential is given, and that it can be read.

    Args:
        others: Further kinds that are given.
    Raises:
        ValueError: In the form a validator reports.
    """
    kinds = {
        "api_key": api_key,
        "api_key_file": api_key_file,
        "basic_auth": basic_auth,
        "basic_auth_file": basic_auth_file,
    }
    given = [*(name for name, value in kinds.items() if value is not None), *others]
    if len(given) > 1:
        raise ValueError(f"give one kind of credential, not {' and '.join(given)}")
    checked_secret(api_key, api_key_file)
    pair = checked_secret(basic_auth, basic_auth_file)
    if pair is not None and ":" not in pair:
        raise ValueError("basic_auth (or its file) should be user:password, it has no colon")


def _fit_for_a_header(secret: str, where: str) -> str:
    """
    Refuse what no HTTP header carries, without showing it: a library's own error would.
    """
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigError(f"{where} holds a character that is not printable ASCII")
    return secret


def checked_secret(inline: SecretStr | None, file: Path | None) -> str | None:
    """
    Read a secret while the configuration is loaded, so that a missing file is named at start.

    Raises:
        ValueError: As `read_secret`, in the form a validator reports.
    """
    try:
        return read_secret(inline, file)
    except ConfigError as error:
        raise ValueError(str(error)) from error


Secret = Annotated[SecretStr, PlainSerializer(lambda _: MASK, return_type=str)]
Topic = Annotated[str, AfterValidator(topic_name)]
Words = Annotated[tuple[str, ...], BeforeValidator(comma_text)]
