"""The demonstration: newcomers' journeys through all partners, live, on a real Apache Kafka, with a verdict at the end.

`partner` is the example that a partner's own developer copies; `stage` starts what is missing; `board` knows what has
happened, `view` shows it; `run` brings them together.
"""
