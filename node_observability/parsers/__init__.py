"""A test kit for Fluent Bit parsers: shows what a parser makes of a log line, without Fluent Bit.

It models Fluent Bit 5.1: Onigmo over bytes, time formats, types, JSON, what ``tail`` does with a line, and
how lines are joined. What it does not support is an error; ``docs/reference/parsers.md`` has the list.
It opens no socket; only ``bench`` starts a program, a ``fluent-bit`` on the PATH.
"""
