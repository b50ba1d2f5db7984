"""Gives the parts of the template the UUIDs by which Zabbix identifies them, whatever their names.

Guarantees: the UUIDs in ``uuids.yaml`` never change. A UUID that is not there is derived from the part's
identity, so that a custom catalogue needs no such file and each render gives the same. To rename a pattern
and keep its history, rename its keys in ``uuids.yaml``.
"""

import hashlib
import uuid
from collections.abc import Mapping
from importlib import resources

import yaml

__all__ = ["Identities", "committed"]


def committed() -> dict[str, str]:
    """Return the committed UUIDs by identity, such as ``item:agent.ping``."""
    text = resources.files(__package__).joinpath("uuids.yaml").read_text("utf-8")
    known: dict[str, str] = yaml.safe_load(text) or {}
    return known


class Identities:
    """Returns the UUID of an identity; ``used`` has those returned so far, in the order of the template."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.used: dict[str, str] = {}

    def __call__(self, identity: str) -> str:
        """Return 32 hex digits with the version and variant of a UUID 4, which the server checks.

        Raises:
            ValueError: two parts have the same identity.
        """
        if identity in self.used:
            raise ValueError(f"two parts of the template have the identity {identity}")
        self.used[identity] = self._known.get(identity) or self.derived(identity)
        return self.used[identity]

    @staticmethod
    def derived(identity: str) -> str:
        """Return the UUID of an identity that is not committed."""
        digest = hashlib.sha256(f"node-observability {identity}".encode()).digest()
        return uuid.UUID(bytes=digest[:16], version=4).hex
