"""The compatibility gate: what a change of a schema means for those who write and read by the old one."""
