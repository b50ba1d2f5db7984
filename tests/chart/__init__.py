"""Tests of the chart: what the real helm renders, and what Kubernetes would make of it."""
