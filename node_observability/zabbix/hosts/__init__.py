"""The hosts of a cluster and its nodes: which are monitored, and which are gone."""
