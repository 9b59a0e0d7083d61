"""Benchmarks: how fast the books are, each figure beside a reference taken in the same run.

A bench brings up what it needs on a database of its own, measures, counts what came of it, and
cleans up. Figures go to stdout, one JSON object a line, the headline last; progress to stderr.
Absolute figures are the machine's: compare ratios.
"""
