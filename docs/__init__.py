"""
The documentation. `python -m docs` writes the pages that are generated from declarations.
"""
