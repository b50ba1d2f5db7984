"""Commands, files and variables with which the chart's programs run outside a pod, in a directory."""

from pathlib import Path

import pytest

from tests.support.fluentbit import need_fluent_bit
from tests.support.helm import Manifest, rendered

__all__ = ["agent_file", "fluent_bit", "named"]


def named(manifests: list[Manifest], kind: str, ending: str) -> Manifest | None:
    found = [
        one for one in manifests if one["kind"] == kind and one["metadata"]["name"].endswith(ending)
    ]
    return found[0] if found else None


def mounted(config_map: Manifest, directory: Path) -> Path:
    """Write the files of a ConfigMap as the kubelet does, as symbolic links to a data directory."""
    (directory / "..2026").mkdir(parents=True)
    (directory / "..data").symlink_to("..2026")
    for name, text in config_map["data"].items():
        (directory / "..2026" / name).write_text(text)
        (directory / name).symlink_to(f"..data/{name}")
    return directory


def agent_file(case: Path, directory: Path) -> Path:
    config_map = named(rendered(case), "ConfigMap", "-zabbix-agent")
    assert config_map
    text: str = config_map["data"]["zabbix_agent2.conf"]
    (directory / "psk").write_text("0" * 64)
    for place in ("/tmp", "/etc/zabbix/tls", "/var/lib/zabbix"):  # noqa: S108 - the pod's own
        text = text.replace(f"={place}/", f"={directory}/")
    path = directory / "agent.conf"
    path.write_text(text)
    return path


def fluent_bit(
    case: Path, name: str, directory: Path, *more: str, **env: str
) -> tuple[list[str], dict[str, str]]:
    """Return the command and environment of a DaemonSet's Fluent Bit, with its paths below ``directory``."""
    manifests = rendered(case)
    config_map = named(manifests, "ConfigMap", f"-fluent-bit-{name}")
    daemonset = named(manifests, "DaemonSet", f"-fluent-bit-{name}")
    if not (config_map and daemonset):
        pytest.skip("the case has no Fluent Bit")
    configuration = mounted(config_map, directory / "etc")
    (container, *_) = daemonset["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value", "x") for entry in container["env"]}
    main = configuration / Path(container["command"][-1]).name
    own = {"NODEOBS_CONFIG_DIR": str(configuration), "NODEOBS_STATE_DIR": str(directory / "state")}
    return [need_fluent_bit(), *more, "-c", str(main)], {**variables, **own, **env}
