"""Reads Fluent Bit configuration, classic and YAML, and converts one into the other."""
