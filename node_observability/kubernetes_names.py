"""The forms of names in Kubernetes (its documentation, "Object Names and IDs")."""

import re
from typing import Final

__all__ = ["LABEL", "SUBDOMAIN"]

_PART: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
SUBDOMAIN: Final = re.compile(rf"(?=.{{1,253}}\Z){_PART}(?:\.{_PART})*")
"""DNS-1123 subdomain: the names of nodes, pods and most other objects."""
LABEL: Final = re.compile(rf"(?=.{{1,63}}\Z){_PART}")
"""DNS-1123 label: the names of namespaces and containers."""
