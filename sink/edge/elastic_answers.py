"""
What the client raises, as the sink understands it.
"""

from elastic_transport import ApiResponseMeta, TransportError
from elasticsearch import ApiError

from sink.core.outcome import Reply
from sink.errors import Unauthorized, Unavailable


class Refused(Unavailable):
    """
    Elasticsearch answers, and it is no.

    Args:
        error_type: Empty where the answer names none, as for a path that no handler takes.
    """

    def __init__(self, message: str, status: int, error_type: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


def reply_of(failure: ApiError | TransportError) -> Reply:
    """
    Give what came back for a bulk that failed as a request.
    """
    if isinstance(failure, TransportError):
        return Reply(0, error_type=type(failure).__name__, reason=failure.message)
    error_type, reason = _error_of(failure)
    return Reply(
        failure.meta.status,
        error_type=error_type,
        reason=reason,
        retry_after_s=_retry_after_s(failure.meta),
    )


def _error_of(failure: ApiError) -> tuple[str, str]:
    """
    Read error.type and error.reason of an answer; a proxy's own page has neither.
    """
    error = failure.body.get("error") if isinstance(failure.body, dict) else None
    if isinstance(error, dict):
        return str(error.get("type", "")), str(error.get("reason", ""))
    # An answer without a body has "None" for its message.
    said = error or (failure.message if failure.message != "None" else "no reason given")
    return "", str(said)[:500]


def _retry_after_s(meta: ApiResponseMeta) -> float | None:
    """
    Read Retry-After where it is given in seconds (RFC 9110 §10.2.3; a date is not honoured).
    """
    given = meta.headers.get("retry-after") or ""
    return float(given) if given.isascii() and given.isdigit() else None


def explained(failure: ApiError | TransportError, what: str) -> Unavailable:
    """
    Say what a failed question means for who asked.

    Args:
        what: Method and path.
    """
    if isinstance(failure, TransportError):
        return Unavailable(f"Elasticsearch does not answer ({what}): {failure.message}")
    error_type, reason = _error_of(failure)
    said = f"{what} → {failure.meta.status} {error_type}: {reason}"
    if failure.meta.status in (401, 403):
        no = "refuses the credentials" if failure.meta.status == 401 else "denies the request"
        return Unauthorized(f"Elasticsearch {no}: {said}")
    return Refused(f"Elasticsearch refuses: {said}", failure.meta.status, error_type)
