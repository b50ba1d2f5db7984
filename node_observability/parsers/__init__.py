"""A test kit for Fluent Bit parsers: what a parser makes of a log line, without Fluent Bit.

It models Fluent Bit 5.1: Onigmo over bytes, time formats, types, JSON, what ``tail`` does with a line
and how lines are joined. It compiles nothing, opens no socket and starts nothing. What it can't model
it refuses by name (``docs/reference/parsers.md`` lists it all).
"""
