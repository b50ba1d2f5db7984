"""Measurements on real journals; `python -m tests.bench` runs them, pytest never does."""
