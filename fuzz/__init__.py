"""
Fuzzing: arbitrary record values, answers, letters and configurations through the sink's own code.

`python -m fuzz` runs it. Each target has a corpus of small files in `fuzz/corpus`.
"""
