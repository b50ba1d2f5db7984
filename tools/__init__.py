"""Tools for developing and demonstrating the project; nothing here runs on a cluster node."""
