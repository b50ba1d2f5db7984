"""The command as people run it: on files, on a cluster played by scripts, and on bad input."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from node_observability.cli import main

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
---
apiVersion: v1
kind: List
items:
  - kind: DaemonSet
    metadata: {name: fb-cri}
    spec:
      template:
        metadata: {labels: {app.kubernetes.io/component: fluent-bit-cri}}
        spec:
          nodeSelector: {os: bottlerocket}
          tolerations: [{operator: Exists}]
          affinity: &linux
            nodeAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
                nodeSelectorTerms:
                  - matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]
  - kind: DaemonSet
    metadata: {name: agent}
    spec:
      template:
        metadata: {labels: {app.kubernetes.io/component: zabbix-agent}}
        spec:
          nodeSelector: {os: bottlerocket}
          affinity: *linux
---
kind: DaemonSet
metadata: {name: fb-docker}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/component: fluent-bit-docker}}
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: kubernetes.io/os, operator: In, values: [linux]}
                  - {key: os, operator: NotIn, values: [bottlerocket]}
"""
BOTTLEROCKET = "Bottlerocket OS 1.50.0 (aws-k8s-1.34)"


def node(
    name: str,
    labels: dict[str, str] | None = None,
    *,
    image: str = "Amazon Linux 2",
    runtime: str = "docker://20.10.25",
    taints: list[dict[str, str]] | None = None,
    system: str = "linux",
) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": system, **(labels or {})}},
        "spec": {"taints": taints} if taints else {},
        "status": {"nodeInfo": {"osImage": image, "containerRuntimeVersion": runtime}},
    }


GOOD = [
    node(
        "br", {"os": "bottlerocket"}, image=BOTTLEROCKET, runtime="containerd://2.1.5+bottlerocket"
    ),
    node("al2"),
    node(
        "win",
        system="windows",
        image="Windows Server 2022 Datacenter",
        runtime="containerd://2.1.5",
    ),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    manifest, nodes = tmp_path / "manifest.yaml", tmp_path / "nodes.json"
    manifest.write_text(MANIFEST)
    nodes.write_text(json.dumps({"kind": "List", "items": GOOD}))
    return nodes, manifest


def covered(files: tuple[Path, Path], *more: str) -> int:
    nodes, manifest = files
    return main(["coverage", "--nodes", str(nodes), "--manifest", str(manifest), *more])


def test_the_table_shows_what_each_node_gets_and_why_others_are_missing(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert covered(files) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *(
            "NODE",
            "SYSTEM",
            "RUNTIME",
            "FLUENT-BIT-CRI",
            "ZABBIX-AGENT",
            "FLUENT-BIT-DOCKER",
            "NOTE",
        )
    ]
    assert "os NotIn [bottlerocket], is 'bottlerocket'" in lines[1]
    assert "os must be 'bottlerocket', is absent" in lines[2]
    assert lines[3].endswith("left out: kubernetes.io/os In [linux]")
    assert lines[-1] == (
        "3 nodes: fb-cri on 1, agent on 1, fb-docker on 1; 1 left out, 0 errors, 0 warnings"
    )


def test_a_node_without_a_fluent_bit_fails(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tainted = node("gpu", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    files[0].write_text(json.dumps({"items": [*GOOD, tainted]}))
    assert covered(files, "--problems") == 1
    out = capsys.readouterr().out
    assert "taint gpu:NoSchedule is not tolerated" in out
    assert "ERROR no Fluent Bit" in out
    assert "al2" not in out


def test_a_node_with_two_fluent_bits_fails(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text(
        MANIFEST.replace("NotIn, values: [bottlerocket]", "NotIn, values: [botlerocket]")
    )
    assert covered(files) == 1
    assert "ERROR 2 Fluent Bits: fb-cri, fb-docker" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "warning"),
    [
        (
            node("x", image=BOTTLEROCKET, runtime="containerd://2.1"),
            "Bottlerocket without a Zabbix agent",
        ),
        (
            node("x", {"os": "bottlerocket"}, runtime="containerd://1.7"),
            "has the label of Bottlerocket but runs Amazon Linux 2",
        ),
        (
            node("x", {"eks.amazonaws.com/compute-type": "fargate"}),
            "has the label eks.amazonaws.com/compute-type=fargate, so it has no host",
        ),
        (node("x", {"type": "virtual-kubelet"}), "has the label type=virtual-kubelet"),
        (
            node("x", {"os": "bottlerocket"}, image=BOTTLEROCKET, runtime="docker://20"),
            "Docker with the CRI parser",
        ),
    ],
    ids=["no label", "false label", "Fargate", "virtual", "docker"],
)
def test_a_label_that_contradicts_the_system_is_a_warning(
    wrong: dict[str, Any],
    warning: str,
    files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    files[0].write_text(json.dumps({"items": [wrong]}))
    assert covered(files) == 0
    assert f"WARNING {warning}" in capsys.readouterr().out
    assert covered(files, "--strict") == 1


def test_nodes_of_a_correct_installation_have_no_warning(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    right = [
        node("al2023", image="Amazon Linux 2023.9.20260801", runtime="containerd://2.1.4"),
        node("ubuntu", image="Ubuntu 24.04.3 LTS", runtime="containerd://1.7.28"),
        node("flatcar", image="Flatcar Container Linux", runtime="cri-o://1.33.0"),
        node("al2", image="Amazon Linux 2", runtime="docker://20.10.25"),
        node(
            "b",
            {"os": "bottlerocket"},
            image=BOTTLEROCKET,
            runtime="containerd://2.1.4+bottlerocket",
        ),
    ]
    files[0].write_text(json.dumps({"items": right}))
    assert covered(files, "--strict") == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_json_has_the_same_content(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert covered(files, "--output", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"fb-cri": 1, "agent": 1, "fb-docker": 1}
    assert [row["daemonSets"] for row in found["nodes"]] == [
        ["fb-cri", "agent"],
        ["fb-docker"],
        [],
    ]
    assert found["nodes"][2]["leftOut"] == "kubernetes.io/os In [linux]"


def test_one_node_alone_and_a_cordoned_one_are_read(files: tuple[Path, Path]) -> None:
    cordoned = node("al2")
    cordoned["spec"]["unschedulable"] = True
    files[0].write_text(json.dumps(cordoned))
    assert covered(files) == 0


def command(*arguments: str, path: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command by itself, with its own PATH and standard input."""
    code = "from node_observability.cli import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "coverage", *arguments],
        env={**os.environ, "PATH": path},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_files_kubectl_and_helm_ask_the_cluster(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    for name, answer in (("kubectl", files[0]), ("helm", files[1])):
        script(tmp_path / "bin" / name, f'echo "{name} $*" >>{tmp_path}/calls\ncat {answer}')
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = command("--release", "logs", "-n", "ops", "--context", "prod", path=path)
    assert done.returncode == 0
    assert "3 nodes" in done.stdout
    assert (tmp_path / "calls").read_text().splitlines() == [
        "helm get manifest logs --kube-context prod --namespace ops",
        "kubectl get nodes --output json --context prod",
    ]


def test_an_error_of_helm_is_passed_on(files: tuple[Path, Path], tmp_path: Path) -> None:
    script(tmp_path / "bin" / "helm", "echo 'Error: release: not found' >&2\nexit 1")
    done = command("--nodes", str(files[0]), path=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 2
    assert "helm get manifest: Error: release: not found" in done.stderr


def test_a_missing_program_is_named(files: tuple[Path, Path]) -> None:
    done = command("--manifest", str(files[1]), path="/nowhere")
    assert done.returncode == 2
    assert "kubectl is not on the PATH; install it, or use --nodes FILE" in done.stderr


def test_a_node_without_the_label_of_its_system_is_an_error_and_not_left_out(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_text('{"items": [{"metadata": {"name": "bare", "labels": null}}]}')
    assert covered(files) == 1
    out = capsys.readouterr().out
    assert "no Fluent Bit" in out
    assert "0 left out, 1 errors" in out


def test_a_file_that_powershell_wrote_and_a_system_without_a_name_are_read(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    named = node("al2")
    named["status"]["nodeInfo"]["osImage"] = None
    files[0].write_text(json.dumps({"items": [named]}), encoding="utf-8-sig")
    assert covered(files) == 0
    assert "None" not in capsys.readouterr().out


def test_what_is_not_a_list_of_nodes_is_one_line_and_exit_2(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_text("[1]")
    assert covered(files) == 2
    assert capsys.readouterr().err == (
        f"node-observability coverage: {files[0]}: is not a list of nodes;"
        " save what `kubectl get nodes -o json` prints\n"
    )


BAD_MANIFESTS = {
    "a: [": "2: not YAML",
    "kind: ConfigMap": ": contains no DaemonSet",
    "kind: DaemonSet": ": DaemonSet ? is not valid: spec is missing",
    "kind: DaemonSet\nmetadata: 5\nspec: {template: {spec: {hostNetwork: true}}}": (
        ": DaemonSet ? is not valid: metadata must be a mapping"
    ),
    "kind: DaemonSet\nmetadata: {name: 5}\nspec: {template: {spec: {hostNetwork: true}}}": (
        ": DaemonSet 5 is not valid: name must be a text; put it into quotes"
    ),
    "kind: DaemonSet\nmetadata: {name: a}\nspec: {template: {spec: {nodeSelector: [os]}}}": (
        ": DaemonSet a is not valid: nodeSelector must be a mapping"
    ),
    "kind: DaemonSet\nmetadata: {name: a}\nspec: {template: {spec: {tolerations: {key: a}}}}": (
        ": DaemonSet a is not valid: tolerations must be a list of mappings"
    ),
    MANIFEST.replace(
        "In, values: [linux]", "in, values: [linux]"
    ): "operator 'in' is unknown; use one of In, NotIn",
    MANIFEST.replace(
        "app.kubernetes.io/component", "component"
    ): "none of these DaemonSets is the chart's: fb-cri",
}


@pytest.mark.parametrize("text", BAD_MANIFESTS, ids=list(BAD_MANIFESTS.values()))
def test_what_is_not_a_manifest_is_one_line_and_exit_2(
    text: str, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text(text)
    assert covered(files) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert BAD_MANIFESTS[text] in line


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--nodes", "no.json", "--manifest", "no.yaml"]) == 2
    assert "no.yaml: can't be read: No such file or directory" in capsys.readouterr().err


def test_standard_input_can_be_read_once(files: tuple[Path, Path]) -> None:
    path = os.environ["PATH"]
    twice = command("--nodes", "-", "--manifest", "-", path=path)
    assert twice.returncode == 2
    assert "can't both read standard input" in twice.stderr
    assert (
        command("--nodes", str(files[0]), "--manifest", "-", path=path, given=MANIFEST).returncode
        == 0
    )


def test_ten_thousand_nodes_take_less_than_five_seconds(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    many = [
        node(
            f"ip-10-{number >> 8}-{number & 255}",
            {f"label-{key}": f"value-{number % 97}" for key in range(30)}
            | ({"os": "bottlerocket"} if number % 3 else {}),
            image=BOTTLEROCKET if number % 3 else "Amazon Linux 2",
            taints=[{"key": "pool", "value": str(number % 40), "effect": "PreferNoSchedule"}],
        )
        for number in range(10_000)
    ]
    files[0].write_text(json.dumps({"items": many}))
    start = time.process_time()
    assert covered(files) == 0
    assert time.process_time() - start < 5
    assert "10000 nodes: fb-cri on 6666" in capsys.readouterr().out.splitlines()[-1]
