"""
The built-in collectors, one file a source format, by the name that a route gives.
"""

from sink.collectors.apisix import APISIX
from sink.collectors.kong import KONG
from sink.collectors.log import LOG
from sink.collectors.logstash import LOGSTASH
from sink.collectors.raw import RAW
from sink.collectors.zap import ZAP
from sink.core.collector import Collector

COLLECTORS: dict[str, Collector] = {
    collector.name: collector for collector in (LOG, RAW, KONG, APISIX, ZAP, LOGSTASH)
}
