"""``node-observability nodegroup``: files in, files out, exit codes, and what is kept secret."""

import json
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from node_observability import cli
from node_observability.nodegroup import credentials

DESCRIPTION = """\
name: workers
cluster: {name: demo, apiServer: "https://example.com", certificate: QUJD}
labels: {os: bottlerocket}
"""
REGISTRY = """\
registries:
- registry: harbor.example.com
  username: account
  password: {file: password}
- registry: other.example.com
  auth: {file: auth}
"""


def run(*arguments: str) -> int:
    return cli.main(["nodegroup", *arguments])


def write(directory: Path, text: str, name: str = "workers.yaml") -> str:
    (directory / name).write_text(text)
    return str(directory / name)


def test_a_description_is_rendered_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", "--target", "user-data", write(tmp_path, DESCRIPTION)) == 0
    out, err = capsys.readouterr()
    assert tomllib.loads(out)["settings"]["kubernetes"]["node-labels"] == {"os": "bottlerocket"}
    assert err == ""


def test_secrets_are_written_only_when_asked_for_and_then_for_the_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DESCRIPTION + REGISTRY)
    output = tmp_path / "user-data.toml"
    target = ["render", "--target", "user-data", "--output", str(output), file]
    # The files are not there: nothing is read without the flag.
    assert run(*target) == 0
    logins = tomllib.loads(output.read_text())["settings"]["container-registry"]["credentials"]
    assert logins[0]["password"] == credentials.PLACEHOLDER
    assert "--with-credentials writes them" in capsys.readouterr().err
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "auth").write_text("dTpw")
    assert run(*target, "--with-credentials") == 0
    logins = tomllib.loads(output.read_text())["settings"]["container-registry"]["credentials"]
    assert [logins[0]["password"], logins[1]["auth"]] == ["hunter2", "dTpw"]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    out, err = capsys.readouterr()
    assert "every node can read" in err
    assert "hunter2" not in out + err


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        ({}, "registries[0].password: {dir}/password: can't be read: No such file or directory"),
        ({"password": b""}, "registries[0].password: the file {dir}/password is empty"),
        (
            {"password": b"a\nb\n"},
            "registries[0].password: the file {dir}/password has more than one line",
        ),
        ({"password": b"\xff"}, "registries[0].password: {dir}/password: is not UTF-8 (byte 1)"),
        (
            {"password": b"x" * 70_000},
            "registries[0].password: {dir}/password: is larger than 64 KiB; is this the right file?",
        ),
        (
            {"password": b"hunter2"},
            "registries[1].auth: {dir}/auth: can't be read: No such file or directory",
        ),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_and_nothing_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prepare: dict[str, bytes],
    expected: str,
) -> None:
    for name, content in prepare.items():
        (tmp_path / name).write_bytes(content)
    file = write(tmp_path, DESCRIPTION + REGISTRY)
    assert run("render", "--target", "user-data", "--with-credentials", file) == 2
    out, err = capsys.readouterr()
    assert out == ""
    place = f"{file}:{9 if 'auth:' in expected else 7}"
    told = expected.format(dir=tmp_path)
    assert err == f"node-observability nodegroup: {place}: {told}\n"


def test_a_byte_order_mark_is_no_part_of_what_a_file_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "auth").write_bytes(b"\xef\xbb\xbfdTpw\r\n")
    text = "\ufeff" + DESCRIPTION + "registries: [{registry: r, auth: {file: auth}}]\n"
    file = write(tmp_path, text.replace("\n", "\r\n"))
    assert run("render", "--target", "user-data", "--with-credentials", file) == 0
    assert 'auth = "dTpw"\n' in capsys.readouterr().out
    values = write(tmp_path, "\ufeffnodeSelection: {labelKey: os}\n", "values.yaml")
    assert run("check", "--target", "user-data", "--chart-values", values, file) == 0


def test_what_auth_holds_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "auth").write_text("user:password")
    text = DESCRIPTION + "registries: [{registry: r, auth: {file: auth}}]\n"
    file = write(tmp_path, text)
    assert run("render", "--target", "user-data", "--with-credentials", file) == 2
    assert 'is not base64 of "user:password"' in capsys.readouterr().err


def test_several_groups_of_one_cluster_make_one_eksctl_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "name: {}\ncluster: {{name: demo, region: eu-west-1}}\ninstanceTypes: [m5.large]\n"
    files = [write(tmp_path, text.format(name), f"{name}.yaml") for name in ("a", "b")]
    assert run("render", "--target", "eksctl-managed", *files) == 0
    groups = yaml.safe_load(capsys.readouterr().out)["managedNodeGroups"]
    assert [group["name"] for group in groups] == ["a", "b"]
    other = write(tmp_path, text.format("c").replace("eu-west-1", "eu-west-2"), "c.yaml")
    assert run("render", "--target", "eksctl-managed", files[0], other) == 2
    assert f"{other}: cluster: differs from that of {files[0]}" in capsys.readouterr().err
    assert run("render", "--target", "eksctl-managed", files[0], files[0]) == 2
    assert "a is another file's name too" in capsys.readouterr().err
    assert run("render", "--target", "karpenter", *files) == 2
    assert "a file for karpenter holds one node group" in capsys.readouterr().err


def test_a_description_that_a_target_cannot_carry_is_not_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DESCRIPTION + "updateOperator: true\n")
    assert run("render", "--target", "karpenter", file) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"node-observability nodegroup: {file}:4: updateOperator: not with Karpenter"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "kubelet: {evictionSoft: {memory.available: 5%}}\n",
            '4: kubelet.evictionSoft."memory.available": has no eviction-soft-grace-period',
        ),
        (
            "settings: {container-registry: {credentials: [{registry: r}]}}\n",
            "4: settings.container-registry.credentials[0]: has no credentials",
        ),
        (
            "settings: {host-containers: {mine: {enabled: true}}}\n",
            "4: settings.host-containers.mine: has no source",
        ),
    ],
)
def test_what_does_not_go_together_is_told_by_the_descriptions_own_path(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DESCRIPTION + text)
    assert run("check", file) == 2
    assert f"{file}:{expected}" in capsys.readouterr().err


def test_user_data_is_judged_with_line_and_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "[settings.kubernetes]\nmax-pod = 1\n", "user-data.toml")
    assert run("check", file) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"node-observability nodegroup: {file}:2: settings.kubernetes.max-pod: there is no such key;"
        " did you mean max-pods?\n"
    )


def test_right_user_data_is_told_with_its_size_and_what_targets_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[settings.kubernetes]\nreserved-cpus = '0'\n"
    file = write(tmp_path, text, "user-data.toml")
    assert run("check", file) == 0
    assert capsys.readouterr().out == (
        f"{file}:2: settings.kubernetes.reserved-cpus: karpenter: drops it: Karpenter does not know the"
        f" key; leave it out\n{file}: valid user data, 42 of 16384 bytes\n"
    )
    assert run("check", "--target", "eksctl", file) == 0
    capsys.readouterr()
    assert run("check", "--target", "karpenter", "--target", "eksctl", file) == 2
    assert (
        f"{file}:2: settings.kubernetes.reserved-cpus: karpenter: drops it"
        in capsys.readouterr().err
    )


def test_a_description_is_checked_for_the_targets_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DESCRIPTION)
    assert run("check", "--target", "user-data", file) == 0
    told = f"{file}: a node group that can be rendered for user-data\n"
    assert capsys.readouterr().out == told
    assert run("check", "--target", "eksctl", file) == 2
    assert (
        f"{file}:2: cluster.region: eksctl: is missing: eksctl wants it" in capsys.readouterr().err
    )
    assert run("check", file) == 0
    out = capsys.readouterr().out
    assert "cluster.region: eksctl: is missing: eksctl wants it" in out
    assert "cluster.region: eksctl-managed: is missing: eksctl wants it" in out
    assert out.endswith(f"{file}: a node group that can be rendered for user-data, karpenter\n")


def test_a_description_whose_user_data_is_too_large_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, f"{DESCRIPTION}motd: {'x' * 17000}\n")
    assert run("check", "--target", "user-data", file) == 2
    assert "more than EC2 takes" in capsys.readouterr().err
    assert run("render", "--target", "user-data", file) == 2
    assert "more than EC2 takes" in capsys.readouterr().err


def test_user_data_of_a_description_may_be_as_large_as_ec2_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = write(tmp_path, f"{DESCRIPTION}motd: ''\n")
    assert run("render", "--target", "user-data", empty) == 0
    room = 16384 - len(capsys.readouterr().out)
    for more, code in ((room, 0), (room + 1, 2)):
        file = write(tmp_path, f"{DESCRIPTION}motd: {'x' * more}\n")
        assert run("check", "--target", "user-data", file) == code
        assert run("render", "--target", "user-data", file) == code


def test_user_data_may_be_as_large_as_ec2_takes_with_its_credentials(tmp_path: Path) -> None:
    head = DESCRIPTION + "registries: [{registry: r, identitytoken: {file: token}}]\n"
    file = write(tmp_path, f"{head}motd: {'x' * 8000}\n")
    output = tmp_path / "out.toml"
    wanted = ("render", "--target", "user-data", "--with-credentials", "--output", str(output))
    (tmp_path / "token").write_text("t")
    assert run(*wanted, file) == 0
    room = 16384 - output.stat().st_size
    for more, code in ((room, 0), (room + 1, 2)):
        (tmp_path / "token").write_text("t" * (more + 1))
        assert run(*wanted, file) == code
    assert output.stat().st_size == 16384


def test_a_warning_of_the_kubelets_rules_has_the_descriptions_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DESCRIPTION + "kubelet:\n  shutdown-grace-period: 10s\n")
    assert run("check", "--target", "user-data", file) == 0
    told = capsys.readouterr().err
    assert f"warning: {file}:5: kubelet.shutdown-grace-period: stands without" in told


@pytest.mark.parametrize("action", [("check",), ("render", "--target", "eksctl")])
def test_every_file_is_judged_where_one_cannot_be_read(
    action: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [write(tmp_path, "lables: {}\n", f"{name}.yaml") for name in ("a", "z")]
    (tmp_path / "d.yaml").mkdir()
    missing = str(tmp_path / "d.yaml")
    assert run(*action, wrong[0], missing, wrong[1]) == 2
    told = capsys.readouterr().err
    assert f"{missing}: can't be read: Is a directory" in told
    for file in wrong:
        assert f"{file}:1: lables: there is no such key; did you mean labels?" in told


def test_a_kubelet_setting_is_told_by_the_name_that_the_description_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "kubelet:\n  maxPods: 10\n  reservedSystemCPUs: '0'\n"
    file = write(tmp_path, DESCRIPTION + text)
    assert run("check", "--target", "karpenter", file) == 2
    assert f"{file}:6: kubelet.reservedSystemCPUs: karpenter: drops it" in capsys.readouterr().err
    file = write(tmp_path, DESCRIPTION + "kubelet:\n  imageGCHighThresholdPercent: 70\n")
    assert run("check", file) == 2
    assert f"{file}:5: kubelet.imageGCHighThresholdPercent: is 70" in capsys.readouterr().err


def test_a_description_that_no_target_can_carry_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "name: n\ncluster: {name: c}\nupdateOperator: true\n")
    assert run("check", file) == 2
    out, err = capsys.readouterr()
    told = "no target can render it; each has said above what it wants"
    assert err == f"node-observability nodegroup: {file}: {told}\n"
    for target in ("user-data", "eksctl", "eksctl-managed", "cloudformation", "karpenter"):
        assert f": {target}: " in out
    big = write(tmp_path, f"{DESCRIPTION}motd: {'x' * 17000}\n", "big.yaml")
    assert run("check", big) == 2
    assert "karpenter: user data of " in capsys.readouterr().out


def test_a_description_is_warned_of_as_its_user_data_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = "registries:\n- {registry: m, mirrors: [https://m]}\n"
    rest = "adminContainer: {passwordHash: {env: A}}\nsettings: {measurement: {a: 1}}\n"
    text = DESCRIPTION + REGISTRY.replace("registries:\n", mirror) + rest
    assert run("check", write(tmp_path, text)) == 0
    err = capsys.readouterr().err
    assert [line.split(": ")[3] for line in err.splitlines()] == [
        "settings.measurement",
        "registries[1].password",
        "registries[2].auth",
        "adminContainer.passwordHash",
    ]
    assert f"{tmp_path}/workers.yaml:8: registries[1].password: can be read on the node" in err


def test_what_a_target_only_overrides_or_merges_is_told_with_the_target_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[settings.kubernetes]\nmax-pods = 8\ncluster-name = 'a'\n"
    file = write(tmp_path, text, "user-data.toml")
    assert run("check", "--target", "karpenter", file) == 2
    out, err = capsys.readouterr()
    assert f"{file}:2: settings.kubernetes.max-pods: karpenter: plans without it" in out
    assert "max-pods" not in err
    assert run("check", "--target", "cloudformation", file) == 2
    told = "cloudformation: overrides what EKS fills in; leave it out"
    assert f"{file}:3: settings.kubernetes.cluster-name: {told}" in capsys.readouterr().err


def test_control_characters_of_names_and_keys_stay_out_of_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, '[settings]\n"\\u001b[2J" = 1\n', "a\x1b.toml")
    assert run("check", file) == 2
    assert run("check", write(tmp_path, "[settings]\n", "b\n.toml")) == 0
    out, err = capsys.readouterr()
    assert "a\\x1b.toml:2: settings." in err
    assert "\x1b" not in out + err
    assert out.endswith("b\\n.toml: valid user data, 11 of 16384 bytes\n")


def test_label_and_taint_are_compared_with_the_charts_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = write(tmp_path, "nodeSelection: {labelKey: os, labelValue: br}\n", "values.yaml")
    wrong = "the chart selects os=br (nodeSelection) and the node group has os=bottlerocket"
    file = write(tmp_path, DESCRIPTION)
    assert run("check", "--chart-values", values, file) == 2
    assert f"{file}: {wrong}" in capsys.readouterr().err
    user_data = write(
        tmp_path, "[settings.kubernetes.node-labels]\nos = 'bottlerocket'\n", "user-data.toml"
    )
    assert run("check", "--chart-values", values, user_data) == 2
    assert f"{user_data}: {wrong}" in capsys.readouterr().err
    (tmp_path / "values.yaml").write_text("zabbix: {server: example.com}\n")
    assert run("check", "--chart-values", values, file, user_data) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [\n", "values.yaml:2: not YAML: "),
        (
            "nodeSelection:\n  labelKey: 1\n",
            "values.yaml:2: nodeSelection.labelKey: expected a string",
        ),
        ("- a\n", "values.yaml:1: expected the chart's values, found an array"),
    ],
)
def test_values_that_are_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    values = write(tmp_path, text, "values.yaml")
    assert run("check", "--chart-values", values, write(tmp_path, DESCRIPTION)) == 2
    assert expected in capsys.readouterr().err


def test_the_reservation_is_printed_as_settings_or_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("kube-reserved", "--cores", "8", "--max-pods", "58") == 0
    out = capsys.readouterr().out
    wanted = {"cpu": "90m", "memory": "893Mi", "ephemeral-storage": "1Gi"}
    assert tomllib.loads(out)["settings"]["kubernetes"]["kube-reserved"] == wanted
    assert run("kube-reserved", "--cores", "8", "--max-pods", "58", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == wanted


@pytest.mark.parametrize("cores", ["0", "-1", "x", "1.5", "70000", "٣"])
def test_cores_are_a_number(cores: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run("kube-reserved", "--cores", cores, "--max-pods", "58")
    assert end.value.code == 2
    assert "--cores" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_or_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(tmp_path)) == 2
    assert f"{tmp_path}: can't be read: Is a directory" in capsys.readouterr().err
    nowhere = str(tmp_path / "no" / "file")
    file = write(tmp_path, DESCRIPTION)
    assert run("render", "--target", "user-data", "--output", nowhere, file) == 2
    assert f"{nowhere}: can't be written: No such file or directory" in capsys.readouterr().err


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    file = write(tmp_path, DESCRIPTION)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    assert run("render", "--target", "user-data", "--output", str(link), file) == 0
    assert link.is_symlink()
    assert Path("/dev/null").is_char_device()


def test_the_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert {"render", "check", "kube-reserved"} <= set(capsys.readouterr().out.split())
