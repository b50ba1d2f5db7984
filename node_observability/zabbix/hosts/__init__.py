"""The hosts of a cluster and its nodes: which are watched, and which are gone."""
