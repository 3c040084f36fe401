"""Simulators, expectations and verdicts: how anybody can try the hub, a partner's own developer too.

`region` plays newcomers and partners with the words of the work, and knows from a simple model of its own what
should become of each event; `judgement` says from what all topics hold whether that is what became of it;
`collecting` reads the topics. Nothing here is real: persons, numbers and addresses are invented (BSNs 99999xxxx).
"""
