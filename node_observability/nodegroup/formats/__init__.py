"""Reads and writes the formats of the files: YAML and TOML with lines, gzip, Jinja2 templates."""
