"""The UUIDs by which Zabbix knows the parts of the template, whatever they are called.

Guarantees: ours are committed (``uuids.yaml``) and stay; one that is not there is derived from its
identity, so that a catalogue of your own needs no file and a second render gives the same. To rename a
pattern and keep its history, rename its keys in ``uuids.yaml``.
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
    """Give out UUIDs; ``used`` has those given, in the order of the template."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.used: dict[str, str] = {}

    def __call__(self, identity: str) -> str:
        """Return 32 hex digits with the version and variant of a UUID 4, which the server checks."""
        if identity in self.used:
            raise ValueError(f"two parts of the template are called {identity}")
        self.used[identity] = self._known.get(identity) or self.derived(identity)
        return self.used[identity]

    @staticmethod
    def derived(identity: str) -> str:
        """Return the UUID of an identity that is not committed."""
        digest = hashlib.sha256(f"node-observability {identity}".encode()).digest()
        return uuid.UUID(bytes=digest[:16], version=4).hex
