"""
Structured logs on standard error: JSON lines, or coloured text on a terminal.

WARNING: unexpected, nothing is lost. ERROR: a person is needed, or a document is dead. INFO: start,
stop, assignment. Nothing is logged a record.
"""

import logging
import sys

import structlog

from sink.config import LogSettings

_QUIET = ("elastic_transport", "elasticsearch", "asyncio", "aiohttp")

# Without the locals, which structlog shows by default: they hold records and secrets.
_TRACEBACK = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(settings: LogSettings) -> None:
    """
    Set up logging for the process, the libraries' own included.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    last: list[structlog.typing.Processor] = (
        [_TRACEBACK, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:  # the sink tells the same with more sense, once
        logging.getLogger(name).setLevel(max(level, logging.ERROR))
