"""Tests of ``node-observability coverage``."""
