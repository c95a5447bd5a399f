"""
The status port's page for people: is it well, and where are the logs of each topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from sink.core.data_view import Link

_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{text-align:left;padding:.3em 1em .3em 0;vertical-align:top}"
)


def page(
    reasons: Mapping[str, str],
    parked: Sequence[str],
    links: Sequence[Link],
    pages: Iterable[str],
    in_flight_max: int = 0,
) -> bytes:
    """
    Write the page. Everything in it is escaped: names come from Kafka, Elasticsearch and Kibana.

    Args:
        reasons: Why it is not ready, by part.
        parked: Indices that take nothing.
        links: To the logs in Kibana.
        pages: Paths of the other pages.
        in_flight_max: Bulks that may be under way now; 0 before the start is through.
    """
    others = " ".join(f'<a href="{escape(path)}">{escape(path)}</a>' for path in pages)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sink</title>',
        f"<style>{_STYLE}</style><h1>Sink</h1>",
        f"<p>{'Not ready' if reasons else 'Ready'}. {others}</p>",
        f"<p>Bulks under way: {in_flight_max} at most now.</p>" if in_flight_max else "",
        _table(("Part", "Why it is not ready"), reasons.items()) if reasons else "",
        _table(("Parked index",), [(index,) for index in parked]) if parked else "",
        "<h2>Logs</h2>",
        _links(links) if links else _NO_LINKS,
        "</html>\n",
    ]
    return "\n".join(filter(None, parts)).encode()


_NO_LINKS = (
    "<p>No links yet. They are here when <code>kibana.url</code> and "
    "<code>kibana.setup_on_start</code> are set and Kibana has answered.</p>"
)


def _links(links: Iterable[Link]) -> str:
    rows = [
        f'<tr><td><a href="{escape(each.url)}">{escape(each.name)}</a></td>'
        f"<td>{escape(', '.join(each.topics))}</td><td>{escape(each.title)}</td></tr>"
        for each in links
    ]
    head = "<tr><th>Open in Discover</th><th>Topics</th><th>Indices</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{lines}</table>"
