"""
The JSON sources of the templates: the shipped ones, and an operator's folder that is of no use.
"""

from pathlib import Path

import pytest

from sink.core.template import Kind
from sink.core.template_body import checksum, version_of
from sink.errors import ConfigError
from sink.templates import load

# The content of each version that was ever shipped: a change without a new version would not be
# told from another sink's, and the two would write over each other.
SHIPPED = {
    ("sink-settings", 1): "9dd4710a8cbbf987",
    ("sink-dynamic", 1): "687e278ca11725b5",
    ("sink-text", 1): "1a9d12e195794891",
    ("sink-timestamp", 1): "211b969bab91ec5a",
    ("ekk-mappings", 1): "3352c62eb044c13e",
    ("gateway-mappings", 1): "bcccaa092a5a939f",
    ("kong-mappings", 1): "11423cccfaff9917",
    ("apisix-mappings", 1): "b72108b509393a18",
    ("zap-mappings", 1): "c6a91fdf30f6041e",
    ("logstash-mappings", 1): "5ac2d25f7a140760",
    ("ekk", 2): "82ed79fc3869e1e8",
    ("kong", 1): "92fada136a5c6cc1",
    ("apisix", 1): "a238e3bfea9020ea",
    ("zap", 1): "d809bef06e4b68c4",
    ("logstash", 1): "e3761c05fe418c17",
}


def test_a_shipped_template_changes_only_with_its_version() -> None:
    found = {
        (source.name, version_of(source.body)): checksum(source.body)[:16] for source in load(None)
    }

    assert found == SHIPPED, "raise _meta.version of what changed, and note its checksum here"


def test_the_shipped_templates_leave_the_stacks_own_their_indices() -> None:
    """Elasticsearch's own logs-*-* and so on have priority 100."""
    for source in load(None):
        if source.kind is Kind.INDEX:
            assert isinstance(priority := source.body["priority"], int)
            assert 0 < priority < 100


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "holds no index template"), (b"{", "'own' is not JSON"), (b"\xff", "own.json")],
)
def test_a_folder_that_gives_no_templates_is_refused_with_its_name(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    (tmp_path / "mine" / "index").mkdir(parents=True)
    if content is not None:
        (tmp_path / "mine" / "index" / "own.json").write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        load(tmp_path / "mine")
