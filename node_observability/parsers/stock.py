"""The parsers of the ``parsers.conf`` that Fluent Bit 5.1's image loads: names that ours must not have."""

__all__ = ["STOCK_PARSERS"]

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
