"""
Structured logs on standard error: JSON lines, or coloured text on a terminal.

WARNING: unexpected, nothing is lost. ERROR: a person is needed, or a document is dead. INFO: start,
stop, assignment. Nothing is logged a record.
"""

import logging
import sys
import threading
import time

import structlog

from sink.config import LogSettings

LIBRDKAFKA = "librdkafka"
_KINDS_MAX = 1000
_QUIET = ("elastic_transport", "elasticsearch", "asyncio", "aiohttp")

# Without the locals, which structlog shows by default: they hold records and secrets.
_TRACEBACK = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


class Seldom(logging.Filter):
    """
    Lets a library say the same thing once in a while only.

    A broker that is away makes librdkafka log every attempt of every client to connect: hundreds of
    lines in a few seconds (seen), while the sink tells the same once.

    Args:
        every_s: Between two lines of one client about one thing.
    """

    def __init__(self, every_s: float = 30.0) -> None:
        super().__init__()
        self._every_s = every_s
        self._lock = threading.Lock()  # guards _said: clients log on threads of their own
        self._said: dict[tuple[int, str], float] = {}  # by level and beginning

    def filter(self, record: logging.LogRecord) -> bool:
        """
        Tell whether a line is news. `FAIL [client] …`: what and who stand before the bracket.
        """
        key = (record.levelno, record.getMessage().partition("]")[0][:100])
        now_s = time.monotonic()
        with self._lock:
            is_news = now_s >= self._said.get(key, 0.0) + self._every_s
            if is_news:
                self._said[key] = now_s
            if len(self._said) > _KINDS_MAX:
                self._said.clear()
        return is_news


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
    library = logging.getLogger(LIBRDKAFKA)
    library.setLevel(logging.NOTSET)  # commands that end by themselves keep it silent
    library.addFilter(Seldom())
    for name in _QUIET:  # the sink tells the same with more sense, once
        logging.getLogger(name).setLevel(max(level, logging.ERROR))
