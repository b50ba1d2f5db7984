"""The types, ranges and patterns of Bottlerocket's settings and of our description."""
