"""
The outcome table held against answers that real Elasticsearches gave.
"""

import pytest

from sink.core.outcome import Outcome, Request, judge
from tests.recorded import Recorded, load

_REQUESTS: dict[Request, set[str]] = {
    Request.UNAUTHORIZED: {"no_bulk_privilege", "wrong_password"},
    Request.RETRY: {"frozen", "indexing_pressure", "no_master", "read_only_cluster"},
    Request.HALVE: {"create_with_external_version", "id_of_513_bytes", "too_large"},
}
_DOCUMENTS: dict[Outcome, set[str]] = {
    Outcome.INDEXED: {"created", "created_by_index", "written_again_by_index"},
    Outcome.DUPLICATE: {"there_already"},
    Outcome.RETRY: {"full_disk", "full_queue"},
    Outcome.PARK: {
        "auto_create_off",
        "blocked_data_stream",
        "closed_index",
        "flood_stage",
        "index_into_data_stream",
        "invalid_index_name",
        "metadata_block",
        "read_only_index",
        "red_index",
        "role_without_create_index",
        "role_without_new_fields",
        "role_without_the_index",
        "shard_limit",
        "write_block",
    },
    Outcome.UNCLEAR: {
        "alias_without_write_index",
        "empty_id",
        "long_field_name",
        "metadata_through_pipeline",
        "missing_default_pipeline",
        "missing_pipeline",
        "nested_fields_limit",
        "routing_required",
    },
    Outcome.DEAD: {
        "cut",
        "cut_through_pipeline",
        "depth_limit",
        "dry_run",
        "dry_run_into_data_stream",
        "dry_run_with_create_doc",
        "duplicate_field",
        "duplicate_field_through_pipeline",
        "empty_field_name",
        "field_limit",
        "immense_term",
        "kept_in_failure_store",
        "lone_surrogate",
        "long_keyword",
        "malformed_date",
        "malformed_number",
        "nested_objects_limit",
        "no_timestamp_for_data_stream",
        "names_with_dots_for_text",
        "number_for_object",
        "object_for_number",
        "object_for_text",
        "strict_mapping",
    },
}
_BY_VERDICT: list[tuple[Request | Outcome, set[str]]] = [*_REQUESTS.items(), *_DOCUMENTS.items()]
_VERDICT_OF = {case: verdict for verdict, cases in _BY_VERDICT for case in cases}


@pytest.mark.parametrize("recorded", load(), ids=str)
def test_what_elasticsearch_answered_is_judged_by_its_cause(recorded: Recorded) -> None:
    assert _judged(recorded) is _VERDICT_OF[recorded.case]


@pytest.mark.parametrize("recorded", load(), ids=str)
def test_whatever_is_refused_has_a_type_that_an_operator_can_look_up(
    recorded: Recorded,
) -> None:
    answer = judge(recorded.reply, 1)
    told = [answer.reply.error_type, *(verdict.error_type for verdict in answer.verdicts or ())]

    assert any(told) or recorded.case in _DOCUMENTS[Outcome.INDEXED] | {"too_large"}


def test_both_majors_gave_every_answer() -> None:
    by_major = {(recorded.case, recorded.version.partition(".")[0]) for recorded in load()}

    assert by_major == {(case, major) for case in _VERDICT_OF for major in ("8", "9")}


def _judged(recorded: Recorded) -> Request | Outcome:
    answer = judge(recorded.reply, 1)
    if answer.request is not Request.ANSWERED:
        return answer.request
    return answer.verdicts[0].outcome if answer.verdicts else Outcome.INDEXED
