"""The parsers of the ``parsers.conf`` that Fluent Bit 5.1's image loads: names that ours must not have."""

import re

__all__ = ["STOCK_PARSERS", "is_stock_file"]

STOCK_PARSERS = frozenset(
    {
        *("apache", "apache2", "apache_error", "cri", "docker", "docker-daemon", "envoy"),
        *(
            "istio-envoy-proxy",
            "json",
            "k8s-nginx-ingress",
            "kmsg-netfilter-log",
            "kube-custom",
            "logfmt",
        ),
        *("mongodb", "nginx", "syslog-rfc3164", "syslog-rfc3164-local", "syslog-rfc5424"),
    }
)

# What lies beside the main file in the image.
_FILES = re.compile(r"(?:.*/)?(?:parsers(?:_[a-z]+)?|plugins)\.conf")


def is_stock_file(name: str) -> bool:
    """Whether a file of that name is in Fluent Bit's image."""
    return _FILES.fullmatch(name.strip()) is not None
