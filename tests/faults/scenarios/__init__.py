"""
The scenarios: one file a theme. Each function is entered by `tests.faults.scenario.scenario`.
"""
