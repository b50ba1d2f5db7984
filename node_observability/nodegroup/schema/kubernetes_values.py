r"""The patterns of labels, taints, quantities and durations in Bottlerocket's settings.

Each kind accepts what both Bottlerocket's model and the kubelet accept: with a value that only the first
takes (an unknown taint effect, ``100K``) a node never joins.
Sources: bottlerocket-settings-sdk, modeled-types/src/kubernetes.rs; Kubernetes' documentation of labels,
taints and quantities (k8s.io/apimachinery, ``resource.Quantity``).
"""

import re
from typing import Final

from node_observability.nodegroup.schema.kinds import Scalar, choice, pattern, text

_NAME = r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,61}[0-9A-Za-z])?"
# Kubernetes takes only a DNS subdomain before the slash; the model takes any letters, dots and dashes.
_PREFIX = (
    r"(?=[0-9a-z.-]{1,253}/)[0-9a-z](?:[0-9a-z-]*[0-9a-z])?(?:\.[0-9a-z](?:[0-9a-z-]*[0-9a-z])?)*"
)
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_SUFFIX = r"(?:[KMGTPE]i|[numkMGTPE]|e[0-9]+)?"
_QUANTITY = re.compile(_NUMBER + _SUFFIX, re.ASCII)
_PERCENTAGE = re.compile(rf"({_NUMBER})%", re.ASCII)
_DURATION = re.compile(
    r"(?:{0}h)?(?:{0}m)?(?:{0}s)?(?:{0}ms)?".format(r"(?:[0-9]+\.)?[0-9]+"), re.ASCII
)
_ALL_PERCENT = 100

LABEL_KEY: Final = pattern(
    "a label key: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.',"
    " with a letter or digit at both ends",
    rf"(?:{_PREFIX}/)?{_NAME}",
)
LABEL_VALUE: Final = pattern(
    "a label value: a string of up to 63 letters, digits, '-', '_' and '.', with a letter or digit"
    " at both ends, or empty",
    rf"(?:{_NAME})?",
)
TAINT: Final = pattern(
    f'"VALUE:EFFECT", VALUE as for a label or empty, EFFECT one of {", ".join(EFFECTS)}',
    rf"(?:{_NAME})?:(?:{'|'.join(EFFECTS)})",
)
CLUSTER_NAME: Final = pattern(
    "a cluster name: 1 to 100 letters, digits, '-' and '_', a letter or digit first",
    r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}",
)
QUANTITY: Final = text(
    'a quantity such as "50Mi", "1Gi" or "100m" (suffixes Ki Mi Gi Ti Pi Ei, n u m k M G T P E; no "K")',
    lambda value: _QUANTITY.fullmatch(value) is not None,
)


def _is_threshold(value: str) -> bool:
    percentage = _PERCENTAGE.fullmatch(value)
    if percentage is not None:
        return float(percentage[1]) < _ALL_PERCENT
    # "0%" switches a signal off; the kubelet does not start with the quantity 0.
    return _QUANTITY.fullmatch(value) is not None and re.match(r"[0.]*[1-9]", value) is not None


THRESHOLD: Final = text(
    'a quantity above 0 such as "100Mi", or a percentage from "0%" to below "100%"', _is_threshold
)
DURATION: Final = text(
    'a duration such as "30s", "1h5m" or "250ms" (hours, minutes, seconds, milliseconds, in that order)',
    lambda value: value != "" and _DURATION.fullmatch(value) is not None,
)
BOOTSTRAP_TOKEN: Final = pattern(
    "a bootstrap token: 6 characters, '.', 16 characters of a-z and 0-9",
    r"[a-z0-9]{6}\.[a-z0-9]{16}",
)
_CPU_SET = re.compile(r"[0-9]{1,9}(?:-[0-9]{1,9})?(?:,[0-9]{1,9}(?:-[0-9]{1,9})?)*", re.ASCII)


def _is_cpu_set(value: str) -> bool:
    """Whether k8s.io/utils/cpuset parses it: no range may end before it begins."""
    if not _CPU_SET.fullmatch(value):
        return False
    ranges = (part.partition("-") for part in value.split(","))
    return all(int(first) <= int(last or first) for first, _, last in ranges)


CPU_SET: Final = text('a set of CPUs such as "0,3-5,8"', _is_cpu_set)
SIGNAL: Final = choice(
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "pid.available",
)
RESERVABLE: Final = choice("cpu", "memory", "ephemeral-storage", "pid")


def _is_percent(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]{1,3}", value, re.ASCII) is not None and _is_percent(int(value))
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _ALL_PERCENT


# The model takes a number and, for old user data, a string of digits.
PERCENT: Final = Scalar("an integer from 0 to 100", _is_percent)
