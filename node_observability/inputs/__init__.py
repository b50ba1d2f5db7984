"""The readers of what a command is given: files and standard input, YAML with lines, nodes of a cluster."""
