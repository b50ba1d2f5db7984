"""Models what Fluent Bit does with a line: parsers, types, multiline, tail. Does no I/O."""
