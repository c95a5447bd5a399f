"""
Measures how long a record takes from when it was due to be produced until its document is answered.
"""
