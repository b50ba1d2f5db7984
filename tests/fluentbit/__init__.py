"""Tests of the Fluent Bit configuration, and of the kit against Fluent Bit itself."""
