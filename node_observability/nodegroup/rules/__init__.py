"""Rules that combine settings: what the kubelet refuses, and what each target drops or rejects."""
