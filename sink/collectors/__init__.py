"""
The built-in collectors, one file a source format.
"""
