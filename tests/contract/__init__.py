"""The seams between what must agree."""
