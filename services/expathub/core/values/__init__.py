"""What the values of events must be by the rules of their own field, beyond what JSON Schema can say.

Pure. Numbers of persons and organisations are in `expathub.core.identifiers`; here are dates, names, addresses,
languages and the national tables, and `formats`, which gives all of them the names by which schemas ask for them.
"""
