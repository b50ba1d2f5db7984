"""Metrics, health and the HTTP server that publishes them."""
