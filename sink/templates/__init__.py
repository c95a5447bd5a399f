"""
Index templates and lifecycle policies in the cluster: planned, written, compared, rolled back.
"""

from sink.templates.differences import diff, difference
from sink.templates.planning import (
    TemplateStore,
    apply,
    findings,
    installed,
    plan,
    sentence,
    wanted,
)
from sink.templates.routes import destinations
from sink.templates.sources import load, variants
from sink.templates.telling import tell

__all__ = [
    "TemplateStore",
    "apply",
    "destinations",
    "diff",
    "difference",
    "findings",
    "installed",
    "load",
    "plan",
    "sentence",
    "tell",
    "variants",
    "wanted",
]
