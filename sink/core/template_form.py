"""
One form for templates that mean the same, however Elasticsearch or a person writes them.
"""

from collections.abc import Iterator, Mapping

from sink.core.template_body import Body, content

# What Elasticsearch adds to what it was given. Source: its answers to "Get index template".
_DEFAULTS = {"hidden": False, "allow_custom_routing": False}


def comparable(body: Body) -> dict[str, object]:
    """
    Bring a template into one form: settings as flat texts, and nothing that is the default.
    """
    found = content(body)
    stream = found.get("data_stream")
    if isinstance(stream, Mapping):
        found["data_stream"] = {k: v for k, v in stream.items() if _DEFAULTS.get(k) != v}
    inner = found.get("template")
    if isinstance(inner, Mapping):
        found["template"] = _inner(inner)
    return {key: value for key, value in found.items() if value not in (None, [])}


def same_but_patterns(one: Body, other: Body) -> bool:
    """
    Tell whether two templates differ in nothing but their index patterns.
    """
    bare = ({**comparable(each), "index_patterns": None} for each in (one, other))
    return next(bare) == next(bare)


def _inner(template: Body) -> dict[str, object]:
    found = dict(template)
    settings = found.get("settings")
    if isinstance(settings, Mapping):
        found["settings"] = dict(sorted(_flat("", settings)))
    lifecycle = found.get("lifecycle")
    if isinstance(lifecycle, Mapping):
        found["lifecycle"] = {"enabled": True, **lifecycle}
    return found


def _flat(prefix: str, settings: Body) -> Iterator[tuple[str, object]]:
    """
    Write settings as Elasticsearch keeps them: index.… and texts. Source: "Index modules".
    """
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(f"{name}.", value)
        elif isinstance(value, list):
            yield _of_index(name), [_text(each) for each in value]
        elif value is not None:
            yield _of_index(name), _text(value)


def _of_index(name: str) -> str:
    return name if name.startswith("index.") else f"index.{name}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
