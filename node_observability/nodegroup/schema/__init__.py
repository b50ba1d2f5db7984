"""The keys, types, ranges and patterns of Bottlerocket's settings and of descriptions."""
