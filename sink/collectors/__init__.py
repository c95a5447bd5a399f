"""
The built-in collectors, one file a source format, by the name that a route gives.
"""

from sink.collectors.log import LOG
from sink.core.collect import Collector

COLLECTORS: dict[str, Collector] = {collector.name: collector for collector in (LOG,)}
