"""
What an operator does beside the running daemon: one file an operation, called by a command.
"""
