"""Fuzzing of intake: endless mutated records, what must hold of each, and a slow reader to compare the quick one with.

Everything is seeded: the same seed and number make the same record, so a finding is two numbers.
"""

from __future__ import annotations
