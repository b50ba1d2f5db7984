"""Tests of the parser kit."""
