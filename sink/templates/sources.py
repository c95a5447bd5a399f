"""
The JSON sources of the templates: the shipped ones, or an operator's folder.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sink.core.template import TEMPLATES, Kind, TemplateSource, parse
from sink.core.text_analysis import Variant, parse_variant
from sink.errors import ConfigError


def load(directory: Path | None) -> list[TemplateSource]:
    """
    Read the sources of the templates: `component/NAME.json` and `index/NAME.json`.

    Args:
        directory: The operator's, instead of the shipped ones; None for the shipped ones.
    Raises:
        ConfigError: There are none, or one cannot be read as a template.
    """
    root: Traversable = _shipped() if directory is None else directory
    sources = [
        parse(kind, entry.name.removesuffix(".json"), _text(entry))
        for kind in TEMPLATES
        for entry in _entries(root / kind)
        if entry.name.endswith(".json")
    ]
    if not any(source.kind is Kind.INDEX for source in sources):
        raise ConfigError(
            f"templates.dir: {root} holds no index template: put them at index/NAME.json and "
            "component/NAME.json in it, or remove the setting for the shipped ones"
        )
    return sources


def variants(directory: Path | None) -> list[Variant]:
    """
    Read the ways to analyze text: `text/NAME.json`.

    Args:
        directory: See `load`.
    Raises:
        ConfigError: One cannot be read as a template, or does not say what it requires.
    """
    root: Traversable = _shipped() if directory is None else directory
    return [
        parse_variant(entry.name.removesuffix(".json"), _text(entry))
        for entry in _entries(root / "text")
        if entry.name.endswith(".json")
    ]


def _shipped() -> Traversable:
    """
    Find the templates of the sink: in the installed package, or beside it in a checkout.
    """
    package = resources.files("sink")
    inside = package / "index_templates"
    return inside if inside.is_dir() else package / ".." / "index_templates"


def _entries(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []


def _text(entry: Traversable) -> str:
    try:
        return entry.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"template {entry} cannot be read: {error}") from error
