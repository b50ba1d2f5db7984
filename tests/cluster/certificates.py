"""The certificates of a cluster, as kubeadm lays them out, made by openssl for a day.

The authority's says nothing of the use of its key: like those of many clusters it is refused by who verifies
strictly (``ssl.VERIFY_X509_STRICT``), and by nobody else.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.processes import run

__all__ = ["Authority"]

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1")


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.certificate, self.key = directory / "ca.crt", directory / "ca.key"
        run(
            *("openssl", "req", "-x509", *_KEY, "-subj", "/CN=cluster"),
            *("-keyout", self.key, "-out", self.certificate),
        )

    def issue(
        self, name: str, *, group: str = "", file: str = "", names: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """Return certificate and key for a user of a group, or for a server of these names.

        ``names`` are as openssl writes them: ``DNS:localhost``, ``IP:127.0.0.1``.
        """
        stem = file or name.replace(":", "-")
        certificate, key = self.directory / f"{stem}.crt", self.directory / f"{stem}.key"
        alternatives = ("-addext", f"subjectAltName={','.join(names)}") if names else ()
        run(
            *("openssl", "req", "-x509", *_KEY, "-CA", self.certificate, "-CAkey", self.key),
            *("-subj", f"/O={group}/CN={name}" if group else f"/CN={name}", *alternatives),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", "extendedKeyUsage=clientAuth,serverAuth"),
            *("-keyout", key, "-out", certificate),
        )
        return certificate, key

    def kubeconfig(self, server: str, name: str, group: str = "") -> Path:
        """Return a kubeconfig for a user, who is given a certificate."""
        certificate, key = self.issue(name, group=group)
        path = certificate.with_suffix(".kubeconfig")
        cluster = {"server": server, "certificate-authority": str(self.certificate)}
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": name}}],
            "current-context": "cluster",
        }
        path.write_text(json.dumps(content))  # YAML to its readers
        return path
