"""
The configuration: every setting declared once, loaded from file, environment and flags.

Settings are read by `load` at start, never at import, and never change afterwards.
"""

from sink.config.elasticsearch import ElasticsearchSettings
from sink.config.index import IndexSettings, TimeGuardSettings
from sink.config.kafka import KafkaSettings
from sink.config.kibana import KibanaSettings
from sink.config.lifecycle import LifecycleSettings
from sink.config.load import Effective, effective, load
from sink.config.routes import RouteSettings
from sink.config.settings import (
    BulkSettings,
    Config,
    DeadLetterSettings,
    LogSettings,
    ShutdownSettings,
    StatusSettings,
    TemplatesSettings,
)

__all__ = [
    "BulkSettings",
    "Config",
    "DeadLetterSettings",
    "Effective",
    "ElasticsearchSettings",
    "IndexSettings",
    "KafkaSettings",
    "KibanaSettings",
    "LifecycleSettings",
    "LogSettings",
    "RouteSettings",
    "ShutdownSettings",
    "StatusSettings",
    "TemplatesSettings",
    "TimeGuardSettings",
    "effective",
    "load",
]
