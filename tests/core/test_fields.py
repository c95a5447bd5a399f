"""
Decoders of a few fields: what they refuse.
"""

import msgspec
import pytest

from sink.core.fields import UNSET, strict


def test_a_document_without_the_fields_is_taken() -> None:
    decode = strict(("taken",), "time", {"size": int})

    assert decode(b'{"other":1}').time is UNSET
    assert decode(b'{"size":7,"time":"now"}').time == "now"


@pytest.mark.parametrize("document", [b'{"taken":0}', b'{"taken":null}', b'{"size":"7"}', b"[]"])
def test_a_document_with_a_field_that_is_not_as_it_must_be_is_refused(document: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        strict(("taken",), "time", {"size": int})(document)
