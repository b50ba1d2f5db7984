"""Rules across settings: what the kubelet refuses, and what each target drops or rejects."""
