"""
A configuration of one route, bound to a fake Kibana.
"""

from typing import Any

from sink.config import Config
from sink.testing import FakeKibana


def config_of(kibana: FakeKibana | str, **settings: Any) -> Config:
    url = kibana if isinstance(kibana, str) else kibana.url
    return Config.model_validate(
        {
            "kibana": {"url": url, **settings},
            "routes": [{"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}],
        }
    )
