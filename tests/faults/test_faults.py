"""
The quick ones of the scenarios, and what the suite itself promises.
"""

import pytest

from engines import Elasticsearch, Kafka
from tests.faults.playing import play
from tests.faults.result import Verdict
from tests.faults.scenario import Scenario, all_scenarios
from tests.faults.stage import Engines

_QUICK = [each for each in all_scenarios().values() if each.quick]


@pytest.mark.engines
@pytest.mark.parametrize("scenario", _QUICK, ids=lambda each: each.key)
def test_after_the_fault_every_record_is_accounted_for(
    scenario: Scenario,
    kafka: Kafka,
    elasticsearch: Elasticsearch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("faults")
    row = play(scenario, 1, folder, Engines(lambda: (kafka, elasticsearch)))
    assert row.verdict is Verdict.GREEN, row.said
