"""
The [kibana] section: its URL, its secrets, and what needs what.
"""

from pathlib import Path

import pytest

from sink.config import load
from sink.config.toml import render
from tests.configuring import ROUTE, refusal, written

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('url = "localhost:5601"', "is no URL of Kibana, as http://localhost:5601"),
        ('url = "http://me:hush@k:5601"', "would end in logs: use kibana.basic_auth"),
        ('public_url = "http://k/?a=1"', "holds a query or a fragment"),
        ('public_url = "javascript:alert(1)"', "is no URL of Kibana"),
        ('space = "Logs/.."', "space"),
        ("setup_on_start = true", "setup_on_start needs the url of Kibana"),
        ('api_key = "hush"\nbasic_auth = "me:hush"', "give one kind of credential"),
        ('basic_auth = "hush"', "should be user:password"),
    ],
)
def test_what_cannot_work_is_refused_without_telling_a_secret(setting: str, why: str) -> None:
    (line,) = refusal(f"[kibana]\n{setting}\n{ROUTE}")

    assert why in line
    assert "kibana" in line and "hush" not in line


def test_secrets_are_masked_and_read_from_their_file_anew() -> None:
    Path("key").write_text("hush-1\n")
    config = load(written("[kibana]\nurl = 'http://k:5601/'\napi_key_file = 'key'\n" + ROUTE))
    shown = load(written("[kibana]\nbasic_auth = 'me:hush'\n" + ROUTE, "other.toml"))

    assert config.kibana.url == "http://k:5601"
    assert config.kibana.read_api_key() == "hush-1"
    Path("key").write_text("hush-2\n")
    assert config.kibana.read_api_key() == "hush-2"
    assert shown.kibana.read_basic_auth() == ("me", "hush")
    assert "hush" not in f"{shown!r} {shown.model_dump_json()} {render(shown)}"


def test_links_begin_with_the_address_that_people_use() -> None:
    kibana = load(written(f"[kibana]\nurl = 'http://k'\npublic_url = 'https://p/'\n{ROUTE}")).kibana

    assert kibana.link_url == "https://p"
