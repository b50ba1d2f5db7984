"""Findings: what Fluent Bit would refuse or silently ignore in a configuration."""
