"""
The check that Kibana answers, where one is configured. Records flow without it: never an error.
"""

from sink.checks.finding import Finding, good, warning
from sink.config import Config
from sink.core.data_view import DEFAULT_SPACE
from sink.edge.kibana import Kibana
from sink.errors import ConfigError, Unauthorized, Unavailable

_TIMEOUT_MS = 5000
_SUBJECT = "Kibana"


async def findings(config: Config) -> list[Finding]:
    """
    Ask Kibana for its space and its data views.
    """
    settings = config.kibana
    if settings.url is None:
        return []
    timeout_ms = min(settings.request_timeout_ms, _TIMEOUT_MS)
    try:
        async with Kibana(settings.model_copy(update={"request_timeout_ms": timeout_ms})) as kibana:
            await kibana.check_space()
            views = await kibana.data_views()
    except (Unavailable, ConfigError) as failure:
        return [warning(_SUBJECT, str(failure), _remedy(failure))]
    space = settings.space or DEFAULT_SPACE
    text = f"{settings.url} answers, {len(views)} data views in the space {space}"
    return [good(_SUBJECT, text)]


def _remedy(failure: Exception) -> str:
    if isinstance(failure, Unauthorized):
        return (
            "correct kibana.api_key or kibana.basic_auth (or their file); the user needs the "
            "privilege for data view management in the space"
        )
    if isinstance(failure, ConfigError):
        return "correct [kibana]"
    return "start it, or correct kibana.url (with https also kibana.ca_certs)"
