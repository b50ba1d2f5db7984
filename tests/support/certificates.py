"""Certificates that openssl makes for a day, and kubeconfigs.

Like those of many EKS clusters they have no key identifiers, so that clients refuse them only if they verify
strictly (``ssl.VERIFY_X509_STRICT``).
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Authority", "write_kubeconfig"]

_CONFIGURATION = """[req]
distinguished_name = name
prompt = no
[name]
{organisation}
CN = {name}
[authority]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = none
authorityKeyIdentifier = none
[leaf]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth,serverAuth
subjectKeyIdentifier = none
authorityKeyIdentifier = none
{alternatives}
"""


class Authority:
    """A certificate authority in a new directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.certificate, self.key = directory / "ca.crt", directory / "ca.key"
        self._request("authority", self.certificate, self.key, name="kubernetes")

    def issue(
        self, name: str, *alternatives: str, group: str = "", file: str = ""
    ) -> tuple[Path, Path]:
        """Return certificate and key, for a user of a group or a server such as ``IP:127.0.0.1``."""
        stem = file or name.replace(":", "-")
        certificate, key = (self.directory / f"{stem}.{end}" for end in ("crt", "key"))
        signed = ("-CA", str(self.certificate), "-CAkey", str(self.key))
        self._request("leaf", certificate, key, *signed, name=name, group=group, names=alternatives)
        return certificate, key

    def kubeconfig(self, server: str, name: str, group: str = "") -> Path:
        """Return a kubeconfig for a user, with a certificate of its own."""
        certificate, key = self.issue(name, group=group)
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        path = certificate.with_suffix(".kubeconfig")
        return write_kubeconfig(path, server, user, str(self.certificate))

    @staticmethod
    def _request(
        section: str,
        certificate: Path,
        key: Path,
        *signed: str,
        name: str,
        group: str = "",
        names: tuple[str, ...] = (),
    ) -> None:
        configuration = certificate.with_suffix(".conf")
        configuration.write_text(
            _CONFIGURATION.format(
                name=name,
                organisation=f"O = {group}" if group else "",
                alternatives=f"subjectAltName = {','.join(names)}" if names else "",
            )
        )
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        subprocess.run(
            [
                *("openssl", "req", "-x509", *curve, "-nodes", "-days", "1", *signed),
                *("-config", str(configuration), "-extensions", section),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )


def write_kubeconfig(
    path: Path, server: str, user: Mapping[str, object], authority: str = ""
) -> Path:
    """Write a kubeconfig of one cluster and one user, and return its path."""
    cluster = {"server": server} | ({"certificate-authority": authority} if authority else {})
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(content))
    return path
