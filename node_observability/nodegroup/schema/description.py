"""The keys of a node group's description.

Keys are in camelCase, as in Helm's values and eksctl's files; ``kubelet`` and ``settings`` have
Bottlerocket's own names. docs/reference/node-groups.md explains each. What becomes a setting as it is
(``ANY`` and ``Unchecked`` here) is checked once, as a setting: see ``rules.settings``.
"""

from typing import Final

from node_observability.nodegroup.schema import kubernetes_values
from node_observability.nodegroup.schema.admin_container import SSH_KEYS
from node_observability.nodegroup.schema.bottlerocket import SETTINGS
from node_observability.nodegroup.schema.kinds import (
    ADDRESS,
    ANY,
    BOOLEAN,
    LINE,
    STRING,
    URL,
    ListOf,
    MapOf,
    Struct,
    Unchecked,
    choice,
    integer,
    pattern,
    secret,
)
from node_observability.nodegroup.schema.kubelet_names import KUBELET

UPDATER_LABEL: Final = ("bottlerocket.aws/updater-interface-version", "2.0.0")
"""Key and value of the label that Bottlerocket's update operator looks for."""
_SUBNET: Final = pattern('a subnet id such as "subnet-0123456789abcdef0"', r"subnet-[0-9a-f]{8,17}")
_ZONE: Final = pattern(
    'an availability zone such as "us-west-2a"', r"[a-z]{2}(?:-[a-z]+)+-[0-9][a-z]"
)
_CIDR: Final = pattern(
    'a network such as "10.0.0.0/16"', r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}"
)
_ZONES: Final = MapOf(_ZONE, Struct({"id": _SUBNET, "cidr": _CIDR}, required=("id",)))
_GIB: Final = integer(1, 65536)
_NODES: Final = integer(0, 10_000)
_TAGS: Final = MapOf(LINE, STRING)
_EXTRA_SETTINGS: Final = Struct(
    {name: Unchecked() for name in SETTINGS.fields if name not in ("kubernetes", "motd")},
    refused={
        "kubernetes": "write these settings under kubelet",
        "motd": "write it as motd, at the top of the description",
    },
)

DESCRIPTION: Final = Struct(
    {
        "name": pattern(
            "a node group's name: up to 63 letters, digits, '-' and '_', a letter or digit first",
            r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}",
        ),
        "cluster": Struct(
            {
                "name": ANY,
                "region": pattern(
                    'a region such as "ap-northeast-2"', r"[a-z]{2}(?:-[a-z]+)+-[0-9]"
                ),
                "kubernetesVersion": pattern('a version in quotes, such as "1.34"', r"1\.[0-9]{2}"),
                "apiServer": ANY,
                "certificate": ANY,
                "dnsIp": ADDRESS,
                "vpc": Struct(
                    {
                        "id": pattern(
                            'a VPC id such as "vpc-0123456789abcdef0"', r"vpc-[0-9a-f]{8,17}"
                        ),
                        "cidr": _CIDR,
                        "subnets": Struct({"public": _ZONES, "private": _ZONES}),
                    }
                ),
            },
            required=("name",),
        ),
        "architecture": choice("x86_64", "arm64"),
        "fips": BOOLEAN,
        "nvidia": BOOLEAN,
        "bottlerocketVersion": pattern(
            'a release such as "1.66.0", or "latest"', r"latest|[0-9]+\.[0-9]+\.[0-9]+"
        ),
        "instanceTypes": ListOf(
            pattern('an instance type such as "m6i.large"', r"[a-z0-9-]+\.[a-z0-9-]+"),
            least=1,
            most=20,
        ),
        "capacityType": choice("on-demand", "spot"),
        "size": Struct({"min": _NODES, "desired": _NODES, "max": _NODES}),
        "volumes": Struct({"osGib": _GIB, "dataGib": _GIB, "encrypted": BOOLEAN}),
        "subnets": ListOf(_SUBNET, least=1),
        "privateNetworking": BOOLEAN,
        "sessionManager": BOOLEAN,
        "sshKeyName": LINE,
        "tags": _TAGS,
        "labels": Unchecked(),
        "taints": ListOf(
            Struct(
                {
                    "key": kubernetes_values.LABEL_KEY,
                    "value": kubernetes_values.LABEL_VALUE,
                    "effect": choice(*kubernetes_values.EFFECTS),
                },
                required=("key", "effect"),
            )
        ),
        "kubelet": KUBELET,
        "logRotation": Struct({"maxSize": ANY, "maxFiles": integer(2, 1000)}),
        "registries": ListOf(
            secret=True,
            item=Struct(
                {
                    "registry": LINE,
                    "username": LINE,
                    "password": ANY,
                    "auth": ANY,
                    "identitytoken": ANY,
                    "mirrors": ListOf(URL, least=1),
                },
                required=("registry",),
            ),
        ),
        "adminContainer": Struct(
            {
                "enabled": ANY,
                "source": ANY,
                "superpowered": ANY,
                "instanceConnect": BOOLEAN,
                "user": secret(pattern("a Linux user name", r"[a-z_][a-z0-9_-]{0,31}")),
                "passwordHash": ANY,
                **{name: ListOf(LINE, least=1) for name in SSH_KEYS},
            },
            hides_keys=True,
        ),
        "updateOperator": BOOLEAN,
        "motd": ANY,
        "settings": _EXTRA_SETTINGS,
        "cloudFormation": Struct(
            {
                "subnetExports": ListOf(
                    pattern("the end of an export's name", r"[0-9A-Za-z:-]{1,200}"), least=1
                ),
            }
        ),
        "karpenter": Struct(
            {
                "role": LINE,
                "subnetTags": _TAGS,
                "securityGroupTags": _TAGS,
                # The NodePool's CRD takes no fractions and no milliseconds.
                "consolidateAfter": pattern(
                    'a duration such as "1m" or "1h30m" (whole hours, minutes, seconds), or "Never"',
                    r"(?:[0-9]+[smh])+|Never",
                ),
            }
        ),
    },
    required=("name", "cluster"),
)
