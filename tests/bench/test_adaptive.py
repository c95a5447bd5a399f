"""
The bench of the number of bulks under way: what it promises.
"""

from bench.adaptive_page import SERVERS, Adaptive, Run, rendered, targets
from bench.surroundings import Machine


def _result(found: float) -> Adaptive:
    rates = {"found": found, "1": 10.0, "2": 50.0, "4": 100.0, "8": 80.0}
    return Adaptive(
        machine=Machine(processor="x", cores=2, memory_gib=1.0),
        versions={"sink": "1"},
        records=1000,
        found={
            server: {name: [Run(docs_per_s=rate, load=0.1)] for name, rate in rates.items()}
            for server in SERVERS
        },
    )


def test_the_number_found_is_held_against_the_best_fixed_one() -> None:
    assert [(each.measured, each.met) for each in targets(_result(90))] == [(0.9, True)] * 3
    assert not any(each.met for each in targets(_result(89)))
    assert "**missed**" in rendered(_result(89))
