"""
From Kafka to the handoff: one thread polls, makes bulks, takes what is settled and commits.
"""
