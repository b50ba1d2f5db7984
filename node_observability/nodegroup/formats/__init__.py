"""The syntax of the files: TOML and YAML with line numbers, gzip and MIME envelopes."""
