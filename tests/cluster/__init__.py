"""A Kubernetes of real parts on this machine, the chart on it, and what became of every line."""
