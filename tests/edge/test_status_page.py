"""
The status port's page for people.
"""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlsplit

from sink.config import StatusSettings
from sink.core.data_view import Link
from sink.edge.readiness import Readiness
from sink.edge.status import StatusServer
from sink.edge.status_page import page

LINK = Link("order", "sag-order_20*", ("ekk-order",), "http://k/app/discover#/?_g=(a)&_a=(b:'c')")
EVIL = """"><script>alert('x')</script>&"""


class _Read(HTMLParser):
    """What a browser makes of a page: tags, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(reasons: dict[str, str], parked: Sequence[str], links: Sequence[Link]) -> _Read:
    return _Read(page(reasons, parked, links, ["/metrics"]).decode())


def test_it_leads_to_the_logs_of_each_topic_and_to_the_other_pages() -> None:
    shown = read({}, [], [LINK])

    assert shown.links == ["/metrics", LINK.url]
    assert "ekk-order" in shown.text and "Ready" in shown.text


def test_it_says_why_it_is_not_ready_and_what_is_parked() -> None:
    text = read({"kafka": "no broker"}, ["sag-order"], []).text

    assert "Not ready" in text and "no broker" in text and "sag-order" in text
    assert "kibana.setup_on_start" in text


def test_it_says_how_many_bulks_may_be_under_way_once_it_knows() -> None:
    assert b"Bulks under way: 3 at most" in page({}, [], [], [], 3)
    assert b"Bulks under way" not in page({}, [], [], [])


def test_nothing_in_it_can_become_markup() -> None:
    """Names of data views come from whoever made them in Kibana."""
    evil = Link(EVIL, EVIL, (EVIL,), f"http://k/{EVIL}")
    shown, plain = read({EVIL: EVIL}, [EVIL], [evil]), read({"a": "b"}, ["c"], [LINK])

    assert shown.tags == plain.tags
    assert shown.links[1] == f"http://k/{EVIL}"


def test_the_status_port_serves_it_and_the_links_as_json() -> None:
    with StatusServer(StatusSettings(port=0), Readiness(), dict, links=lambda: [LINK]) as server:
        html = _get(server, "/")
        links = json.loads(_get(server, "/links")[1])

    assert html[0] == "text/html; charset=utf-8"
    assert "/health/ready" in html[1] and "Open in Discover" in html[1]
    assert links == [
        {"name": "order", "title": LINK.title, "topics": ["ekk-order"], "url": LINK.url}
    ]


def _get(server: StatusServer, path: str) -> tuple[str, str]:
    url = urlsplit(server.url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers["content-type"], answer.read().decode()
    finally:
        connection.close()
