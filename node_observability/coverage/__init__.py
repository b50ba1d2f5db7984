"""Which node gets which DaemonSet, by the scheduler's rules, from nodes and rendered manifests.

``placement`` is pure and knows Kubernetes' rules alone; ``workloads`` and ``nodes`` read; ``findings`` judges
what the placement means for this product; ``report`` prints. Resources, ports and volumes are not looked at:
a pod that lands on a node may still be pending there.
"""
