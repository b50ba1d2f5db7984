"""Works out which DaemonSets each node gets, by the scheduler's rules, from nodes and rendered manifests.

``placement`` has the rules of Kubernetes, ``workloads`` reads the manifests, ``findings`` decides what the
placement means for this product, and ``report`` formats it. Resources, ports and volumes are not checked: a
pod that is placed on a node may still be pending there.
"""
