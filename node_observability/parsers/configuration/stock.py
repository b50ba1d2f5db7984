"""The names that Fluent Bit 5.1's image takes: the parsers of its ``parsers.conf``, and its files."""

import re

__all__ = ["STOCK_PARSERS", "is_stock_file"]

STOCK_PARSERS = frozenset(
    (
        *("apache", "apache2", "apache_error", "cri", "docker", "docker-daemon", "envoy"),
        *("istio-envoy-proxy", "json", "k8s-nginx-ingress", "kmsg-netfilter-log", "kube-custom"),
        *("logfmt", "mongodb", "nginx", "syslog-rfc3164", "syslog-rfc3164-local", "syslog-rfc5424"),
    )
)
# The files beside the main file in the image.
_FILES = re.compile(r"(?:.*/)?(?:parsers(?:_[a-z]+)?|plugins)\.conf")


def is_stock_file(name: str) -> bool:
    """Return whether Fluent Bit's image has a file of that name."""
    return _FILES.fullmatch(name.strip()) is not None
