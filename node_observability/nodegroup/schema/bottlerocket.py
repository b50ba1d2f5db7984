"""Bottlerocket's settings: the table against which user data and descriptions are checked.

Guarantees: a key that is not here is refused, as Bottlerocket refuses it (its models are declared with
``deny_unknown_fields``), and a node with one such key never joins its cluster. Groups that few clusters
use are known by name only (``Unchecked``); a check says so.
Source: bottlerocket-settings-sdk, settings-extensions/*, up to release 0.28.0.
"""

import re
from typing import Final

from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.schema.kinds import (
    ADDRESS,
    BASE64,
    BOOLEAN,
    CERTIFICATES,
    HOSTNAME,
    I32_MAX,
    I64_MAX,
    IDENTIFIER,
    LINE,
    STRING,
    U32_MAX,
    URL,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    Unchecked,
    choice,
    integer,
    pattern,
    secret,
)
from node_observability.nodegroup.schema.kubelet_names import IN_SETTINGS

_MODE: Final = choice("always", "once", "off")
_MODULE: Final = pattern("a kernel module's name", r"[0-9A-Za-z_-]{1,56}")
_SYSCTL: Final = pattern(
    "a sysctl's name, such as net.core.somaxconn", r"(?![./])(?!.*\.\.)[a-zA-Z0-9./_-]{1,128}"
)
_BOOT_KEY: Final = pattern("a boot parameter's name", r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*")
_BOOT_VALUE: Final = pattern(
    "printable ASCII with one kind of quote at most", r"(?!.*\".*')(?!.*'.*\")[ -~]*"
)
_VERSION: Final = pattern(
    'a version such as "1.66.0", or "latest"',
    r"latest|v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?",
)
_CHUNK: Final = OneOf(
    (
        Scalar(
            'bytes as an integer, or as "8mib"',
            lambda value: (
                re.fullmatch(
                    r"[0-9]+(?:\.[0-9]+)? ?(?:[kmgt]i?)?b?", value, re.ASCII | re.IGNORECASE
                )
                is not None
                if isinstance(value, str)
                else isinstance(value, int) and not isinstance(value, bool) and value >= 0
            ),
        ),
    )
)
_LIMIT: Final = Scalar(
    'an integer of -1 or more, or "unlimited"',
    lambda value: (
        value == "unlimited"
        or (isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= I64_MAX)
    ),
)

CREDENTIAL_FORMS: Final = ("password", "auth", "identitytoken")
"""Of a registry's credentials, exactly one has to be given; ``auth`` is base64 of ``user:password``."""
_CREDENTIAL: Final = Struct(
    {
        "registry": LINE,
        "username": LINE,
        "password": LINE,
        "auth": BASE64,
        "identitytoken": LINE,
    },
    required=("registry",),
)
_MIRROR: Final = Struct(
    {
        "registry": LINE,
        "endpoint": ListOf(URL),
        "capabilities": ListOf(choice("pull", "resolve", "push")),
    },
    required=("registry", "endpoint"),
)
_HOST_CONTAINER: Final = Struct(
    {
        "source": URL,
        "enabled": BOOLEAN,
        "superpowered": BOOLEAN,
        "user-data": secret(BASE64),
        "command": ListOf(STRING),
    }
)
_HOSTS_LINE: Final = Scalar(
    'an address and its names, such as ["10.0.0.1", ["a.example.com"]]',
    lambda value: (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - a pair
        and ADDRESS.accepts(value[0])
        and isinstance(value[1], list)
        and all(HOSTNAME.accepts(name) for name in value[1])
    ),
)
_CAPABILITIES: Final = """
audit-control audit-read audit-write block-suspend bpf checkpoint-restore chown dac-override
dac-read-search fowner fsetid ipc-lock ipc-owner kill lease linux-immutable mac-admin mac-override mknod
net-admin net-bind-service net-broadcast net-raw perfmon setgid setfcap setpcap setuid sys-admin sys-boot
sys-chroot sys-module sys-nice sys-pacct sys-ptrace sys-rawio sys-resource sys-time sys-tty-config syslog
wake-alarm
"""
_LIMITS: Final = """
max-address-space max-core-file-size max-cpu-time max-data-size max-file-locks max-file-size
max-locked-memory max-msgqueue-size max-nice-priority max-open-files max-pending-signals max-processes
max-realtime-priority max-realtime-timeout max-resident-set max-stack-size
"""
_BOOT_PARAMETERS: Final = MapOf(_BOOT_KEY, ListOf(_BOOT_VALUE))

_GROUPS: Final[dict[str, Kind]] = {
    "kubernetes": Struct(
        KUBERNETES.fields, aliases=KUBERNETES.aliases, refused={**KUBERNETES.refused, **IN_SETTINGS}
    ),
    "motd": STRING,
    "host-containers": MapOf(IDENTIFIER, _HOST_CONTAINER),
    "bootstrap-containers": MapOf(
        IDENTIFIER,
        Struct(
            {
                "source": URL,
                "mode": _MODE,
                "user-data": secret(BASE64),
                "essential": BOOLEAN,
                "command": ListOf(STRING),
            }
        ),
    ),
    "bootstrap-commands": MapOf(
        IDENTIFIER,
        Struct({"commands": ListOf(ListOf(STRING, least=1)), "mode": _MODE, "essential": BOOLEAN}),
    ),
    "container-registry": Struct(
        {
            # The table of registry = [endpoints] is the older form of mirrors.
            "mirrors": OneOf((ListOf(_MIRROR), MapOf(LINE, ListOf(URL)))),
            "credentials": secret(ListOf(_CREDENTIAL)),
        },
        aliases={"creds": "credentials"},
    ),
    "container-runtime": Struct(
        {
            "log-level": choice("trace", "debug", "info", "warn", "error", "fatal", "panic"),
            "max-container-log-line-size": integer(-1, I32_MAX),
            "max-concurrent-downloads": integer(-1, I32_MAX),
            "max-concurrent-unpacks": integer(-1, I32_MAX),
            "concurrent-download-chunk-size": _CHUNK,
            "enable-unprivileged-ports": BOOLEAN,
            "enable-unprivileged-icmp": BOOLEAN,
            "snapshotter": choice("overlayfs", "soci"),
        },
        aliases={"concurrent-layer-fetch-buffer": "concurrent-download-chunk-size"},
    ),
    "kernel": Struct(
        {
            "lockdown": choice("none", "integrity", "confidentiality"),
            "modules": MapOf(_MODULE, Struct({"allowed": BOOLEAN, "autoload": BOOLEAN})),
            "sysctl": MapOf(_SYSCTL, STRING),
            "hugepages": Unchecked(),
            "drivers": Unchecked(),
        }
    ),
    "boot": Struct(
        {
            "reboot-to-reconcile": BOOLEAN,
            "kernel-parameters": _BOOT_PARAMETERS,
            "init-parameters": _BOOT_PARAMETERS,
        },
        aliases={"kernel": "kernel-parameters", "init": "init-parameters"},
    ),
    "ntp": Struct(
        {"time-servers": ListOf(URL), "options": ListOf(STRING), "logging": ListOf(STRING)}
    ),
    "network": Struct(
        {
            "hostname": HOSTNAME,
            "hosts": ListOf(_HOSTS_LINE),
            "https-proxy": URL,
            "no-proxy": ListOf(LINE),
        }
    ),
    "dns": Struct({"name-servers": ListOf(ADDRESS), "search-list": ListOf(HOSTNAME)}),
    "pki": MapOf(IDENTIFIER, Struct({"data": CERTIFICATES, "trusted": BOOLEAN})),
    "metrics": Struct(
        {"metrics-url": URL, "send-metrics": BOOLEAN, "service-checks": ListOf(STRING)}
    ),
    "updates": Struct(
        {
            "metadata-base-url": URL,
            "targets-base-url": URL,
            "seed": integer(0, U32_MAX),
            "version-lock": _VERSION,
            "ignore-waves": BOOLEAN,
        }
    ),
    "aws": Struct(
        {"region": LINE, "config": secret(BASE64), "credentials": secret(BASE64), "profile": LINE},
        hides_keys=True,
    ),
    "autoscaling": Struct({"should-wait": BOOLEAN}),
    "cloudformation": Struct(
        {"should-signal": BOOLEAN, "stack-name": LINE, "logical-resource-id": LINE}
    ),
    "oci-defaults": Struct(
        {
            "capabilities": MapOf(choice(*_CAPABILITIES.split()), BOOLEAN),
            "resource-limits": MapOf(
                choice(*_LIMITS.split()),
                Struct(
                    {"hard-limit": _LIMIT, "soft-limit": _LIMIT},
                    required=("hard-limit", "soft-limit"),
                ),
            ),
        }
    ),
    "oci-hooks": Struct({"log4j-hotpatch-enabled": BOOLEAN}),
    "container-runtime-plugins": Unchecked(),
    "image-verifier-plugins": Unchecked(),
    "kubelet-device-plugins": Unchecked(),
    "kubelet-dra-drivers": Unchecked(),
    "measurement": Unchecked(),
    "nvidia-container-runtime": Unchecked(),
}

SETTINGS: Final = Struct(_GROUPS)
# Bottlerocket silently ignores any other table, so a typo there is hard to find.
USER_DATA: Final = Struct(
    {"settings": SETTINGS},
    refused={name: f"is outside of settings; write settings.{name}" for name in _GROUPS},
    required=("settings",),
)
