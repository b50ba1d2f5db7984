"""``node-observability nodegroup``: files in, files out, exit codes, and what is kept secret."""

import json
import stat
import tomllib
from collections.abc import Callable
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
Run = Callable[..., tuple[int, str, str]]
Write = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a subcommand; return its exit code, its output, and its errors and warnings."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["nodegroup", *arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and return its name."""

    def write_file(text: str, name: str = "workers.yaml") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write_file


def test_a_description_is_rendered_to_standard_output(run: Run, write: Write) -> None:
    code, out, err = run("render", "--target", "user-data", write(DESCRIPTION))
    assert (code, err) == (0, "")
    assert tomllib.loads(out)["settings"]["kubernetes"]["node-labels"] == {"os": "bottlerocket"}


def test_secrets_are_written_only_when_asked_for_and_then_for_the_owner_alone(
    tmp_path: Path, run: Run, write: Write
) -> None:
    output = tmp_path / "user-data.toml"
    target = ["render", "--target", "user-data", "--output", str(output)]
    target.append(write(DESCRIPTION + REGISTRY))
    # The files with the secrets do not exist: nothing is read without the flag.
    code, _, err = run(*target)
    assert code == 0
    assert "--with-credentials writes them" in err
    logins = tomllib.loads(output.read_text())["settings"]["container-registry"]["credentials"]
    assert logins[0]["password"] == credentials.PLACEHOLDER
    write("hunter2\n", "password")
    write("dTpw", "auth")
    code, out, err = run(*target, "--with-credentials")
    assert code == 0
    assert "the output contains credentials" in err
    assert "hunter2" not in out + err
    logins = tomllib.loads(output.read_text())["settings"]["container-registry"]["credentials"]
    assert [logins[0]["password"], logins[1]["auth"]] == ["hunter2", "dTpw"]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        ({}, "7: registries[0].password: {dir}/password: can't be read: No such file or directory"),
        ({"password": b""}, "7: registries[0].password: the file {dir}/password is empty"),
        (
            {"password": b"a\nb\n"},
            "7: registries[0].password: the file {dir}/password has more than one line",
        ),
        (
            {"password": b"\xff"},
            "7: registries[0].password: {dir}/password: is not UTF-8 (byte 1)",
        ),
        (
            {"password": b"x" * 70_000},
            "7: registries[0].password: {dir}/password: is larger than 64 KiB; is this the right file?",
        ),
        (
            {"password": b"hunter2"},
            "9: registries[1].auth: {dir}/auth: can't be read: No such file or directory",
        ),
        (
            {"password": b"hunter2", "auth": b"user:password"},
            '9: registries[1].auth: the file {dir}/auth is not base64 of "user:password"',
        ),
    ],
)
def test_nothing_is_written_if_a_secret_cannot_be_used(
    tmp_path: Path, run: Run, write: Write, prepare: dict[str, bytes], expected: str
) -> None:
    for name, content in prepare.items():
        (tmp_path / name).write_bytes(content)
    file = write(DESCRIPTION + REGISTRY)
    code, out, err = run("render", "--target", "user-data", "--with-credentials", file)
    assert (code, out) == (2, "")
    assert err == f"node-observability nodegroup: {file}:{expected.format(dir=tmp_path)}\n"


def test_a_byte_order_mark_is_not_part_of_a_files_content(
    tmp_path: Path, run: Run, write: Write
) -> None:
    (tmp_path / "auth").write_bytes(b"\xef\xbb\xbfdTpw\r\n")
    text = "\ufeff" + DESCRIPTION + "registries: [{registry: r, auth: {file: auth}}]\n"
    file = write(text.replace("\n", "\r\n"))
    code, out, _ = run("render", "--target", "user-data", "--with-credentials", file)
    assert code == 0
    assert 'auth = "dTpw"\n' in out
    values = write("\ufeffnodeSelection: {labelKey: os}\n", "values.yaml")
    assert run("check", "--target", "user-data", "--chart-values", values, file)[0] == 0


def test_several_groups_of_one_cluster_make_one_eksctl_file(run: Run, write: Write) -> None:
    text = "name: {}\ncluster: {{name: demo, region: eu-west-1}}\ninstanceTypes: [m5.large]\n"
    a, b = [write(text.format(name), f"{name}.yaml") for name in ("a", "b")]
    code, out, _ = run("render", "--target", "eksctl-managed", a, b)
    assert code == 0
    assert [group["name"] for group in yaml.safe_load(out)["managedNodeGroups"]] == ["a", "b"]
    c = write(text.format("c").replace("eu-west-1", "eu-west-2"), "c.yaml")
    for target, files, expected in (
        ("eksctl-managed", (a, c), f"{c}: cluster: differs from that in {a}"),
        ("eksctl-managed", (a, a), "another file has the name a too"),
        ("karpenter", (a, b), "a file for karpenter holds one node group"),
    ):
        code, _, err = run("render", "--target", target, *files)
        assert code == 2
        assert expected in err


def test_a_description_that_a_target_cannot_carry_is_not_rendered(run: Run, write: Write) -> None:
    file = write(DESCRIPTION + "updateOperator: true\n")
    code, out, err = run("render", "--target", "karpenter", file)
    assert (code, out) == (2, "")
    expected = f"node-observability nodegroup: {file}:4: updateOperator: karpenter: replaces nodes"
    assert err.startswith(expected)


def test_errors_of_user_data_have_file_line_and_path(run: Run, write: Write) -> None:
    file = write("[settings.kubernetes]\nmax-pod = 1\n", "user-data.toml")
    expected = f"{file}:2: settings.kubernetes.max-pod: unknown key; did you mean max-pods?"
    assert run("check", file) == (1, "", f"node-observability nodegroup: {expected}\n")


def test_valid_user_data_is_reported_with_its_size_and_the_effects_of_chosen_targets(
    run: Run, write: Write
) -> None:
    file = write("[settings.kubernetes]\nreserved-cpus = '0'\n", "user-data.toml")
    dropped = f"{file}:2: settings.kubernetes.reserved-cpus: karpenter: does not know the key"
    valid = f"{file}: valid user data, 42 of 16384 bytes\n"
    assert run("check", file) == (0, valid, "")
    assert run("check", "--target", "eksctl", file) == (0, valid, "")
    code, _, err = run("check", "--target", "karpenter", "--target", "eksctl", file)
    assert code == 1
    assert dropped in err


def test_a_description_is_checked_for_the_chosen_targets(run: Run, write: Write) -> None:
    file = write(DESCRIPTION)
    valid = f"{file}: valid node group, can be rendered for user-data"
    assert run("check", "--target", "user-data", file) == (0, f"{valid}\n", "")
    code, _, err = run("check", "--target", "eksctl", file)
    assert code == 1
    assert f"{file}:2: cluster.region: eksctl: needs a region" in err
    code, out, _ = run("check", file)
    assert code == 0
    others = "not for eksctl, eksctl-managed, cloudformation (--target NAME shows why)"
    assert out == f"{valid}, karpenter; {others}\n"


def test_user_data_of_a_description_may_be_as_large_as_ec2s_limit(run: Run, write: Write) -> None:
    _, out, _ = run("render", "--target", "user-data", write(f"{DESCRIPTION}motd: ''\n"))
    room = 16384 - len(out)
    for more, codes in ((room, (0, 0)), (room + 1, (1, 2)), (17_000, (1, 2))):
        file = write(f"{DESCRIPTION}motd: {'x' * more}\n")
        checked = run("check", "--target", "user-data", file)
        rendered = run("render", "--target", "user-data", file)
        assert (checked[0], rendered[0]) == codes
        for _, _, err in (checked, rendered):
            assert ("exceeds EC2's limit of 16384" in err) is (more > room)


def test_user_data_with_its_credentials_may_be_as_large_as_ec2s_limit(
    tmp_path: Path, run: Run, write: Write
) -> None:
    head = DESCRIPTION + "registries: [{registry: r, identitytoken: {file: token}}]\n"
    file = write(f"{head}motd: {'x' * 8000}\n")
    output = tmp_path / "out.toml"
    wanted = ("render", "--target", "user-data", "--with-credentials", "--output", str(output))
    write("t", "token")
    assert run(*wanted, file)[0] == 0
    room = 16384 - output.stat().st_size
    for more, code in ((room, 0), (room + 1, 2)):
        write("t" * (more + 1), "token")
        assert run(*wanted, file)[0] == code
    assert output.stat().st_size == 16384


@pytest.mark.parametrize("action", [("check",), ("render", "--target", "eksctl")])
def test_every_file_is_checked_if_one_cannot_be_read(
    action: tuple[str, ...], tmp_path: Path, run: Run, write: Write
) -> None:
    wrong = [write("lables: {}\n", f"{name}.yaml") for name in ("a", "z")]
    (tmp_path / "d.yaml").mkdir()
    code, _, err = run(*action, wrong[0], str(tmp_path / "d.yaml"), wrong[1])
    assert code == 2
    assert f"{tmp_path}/d.yaml: can't be read: Is a directory" in err
    for file in wrong:
        assert f"{file}:1: lables: unknown key; did you mean labels?" in err


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("maxPods: 10\n  reservedSystemCPUs: '0'", "karpenter", "6: kubelet.reservedSystemCPUs: k"),
        ("imageGCHighThresholdPercent: 70", "", "5: kubelet.imageGCHighThresholdPercent: 70 is "),
    ],
)
def test_an_error_has_the_name_that_the_description_has_for_a_setting(
    run: Run, write: Write, text: str, target: str, expected: str
) -> None:
    file = write(f"{DESCRIPTION}kubelet:\n  {text}\n")
    code, _, err = run("check", *(["--target", target] if target else []), file)
    assert code == 1
    assert f"{file}:{expected}" in err


def test_a_description_that_no_target_can_carry_is_an_error(run: Run, write: Write) -> None:
    file = write("name: n\ncluster: {name: c}\nupdateOperator: true\n")
    code, out, err = run("check", file)
    assert code == 1
    expected = f"{file}: no target can render it, for the reasons above"
    assert err == f"node-observability nodegroup: {expected}\n"
    for target in ("user-data", "eksctl", "eksctl-managed", "cloudformation", "karpenter"):
        assert f": {target}: " in out
    code, out, _ = run("check", write(f"{DESCRIPTION}motd: {'x' * 17000}\n"))
    assert code == 1
    assert "karpenter: user data of " in out


def test_warnings_of_settings_have_the_descriptions_lines_and_paths(run: Run, write: Write) -> None:
    mirror = "registries:\n- {registry: m, mirrors: [https://m]}\n"
    rest = (
        "adminContainer: {passwordHash: {env: A}}\nsettings: {measurement: {a: 1}}\n"
        "kubelet:\n  shutdown-grace-period: 10s\n"
    )
    file = write(DESCRIPTION + REGISTRY.replace("registries:\n", mirror) + rest)
    code, _, err = run("check", file)
    assert code == 0
    expected = [
        "8: registries[1].password: every pod that reaches the instance metadata can read this",
        "10: registries[2].auth: every pod that reaches",
        "11: adminContainer.passwordHash: every pod that reaches",
        "12: settings.measurement: is not checked",
        "14: kubelet.shutdown-grace-period: is set without",
    ]
    for line, start in zip(err.splitlines(), expected, strict=True):
        assert line.startswith(f"node-observability nodegroup: warning: {file}:{start}")


def test_only_what_a_target_loses_is_an_error(run: Run, write: Write) -> None:
    text = "[settings.kubernetes]\nmax-pods = 8\ncluster-name = 'a'\n"
    file = write(text, "user-data.toml")
    code, out, err = run("check", "--target", "karpenter", file)
    assert code == 1
    assert f"{file}:2: settings.kubernetes.max-pods: karpenter: plans without it" in out
    assert "max-pods" not in err
    code, _, err = run("check", "--target", "cloudformation", file)
    assert code == 1
    expected = "cloudformation: overrides what EKS fills in; leave it out"
    assert f"{file}:3: settings.kubernetes.cluster-name: {expected}" in err


def test_messages_escape_control_characters_of_names_and_keys(run: Run, write: Write) -> None:
    code, out, err = run("check", write('[settings]\n"\\u001b[2J" = 1\n', "a\x1b.toml"))
    assert code == 1
    assert "a\\x1b.toml:2: settings." in err
    assert "\x1b" not in out + err
    code, out, _ = run("check", write("[settings]\n", "b\n.toml"))
    assert code == 0
    assert out.endswith("b\\n.toml: valid user data, 11 of 16384 bytes\n")


def test_labels_and_taints_are_compared_with_the_charts_values(run: Run, write: Write) -> None:
    values = write("nodeSelection: {labelKey: os, labelValue: br}\n", "values.yaml")
    wrong = "the chart selects os=br (nodeSelection) and the node group has os=bottlerocket"
    user_data = "[settings.kubernetes.node-labels]\nos = 'bottlerocket'\n"
    files = write(DESCRIPTION), write(user_data, "user-data.toml")
    for file in files:
        code, _, err = run("check", "--chart-values", values, file)
        assert code == 1
        assert f"{file}: {wrong}" in err
    values = write("zabbix: {server: example.com}\n", "values.yaml")
    assert run("check", "--chart-values", values, *files)[0] == 0


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
def test_wrong_values_of_the_chart_are_wrong_usage(
    run: Run, write: Write, text: str, expected: str
) -> None:
    values = write(text, "values.yaml")
    code, _, err = run("check", "--chart-values", values, write(DESCRIPTION))
    assert code == 2
    assert expected in err


def test_the_reservation_is_printed_as_settings_or_as_json(run: Run) -> None:
    size = ("kube-reserved", "--cores", "8", "--max-pods", "58")
    wanted = {"cpu": "90m", "memory": "893Mi", "ephemeral-storage": "1Gi"}
    code, out, _ = run(*size)
    assert code == 0
    assert tomllib.loads(out)["settings"]["kubernetes"]["kube-reserved"] == wanted
    code, out, _ = run(*size, "--format", "json")
    assert code == 0
    assert json.loads(out) == wanted


@pytest.mark.parametrize("cores", ["0", "-1", "x", "1.5", "70000", "٣"])
def test_cores_are_a_number(cores: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run("kube-reserved", "--cores", cores, "--max-pods", "58")
    assert end.value.code == 2
    assert "--cores" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_or_written_is_an_error(
    tmp_path: Path, run: Run, write: Write
) -> None:
    code, _, err = run("check", str(tmp_path))
    assert code == 2
    assert f"{tmp_path}: can't be read: Is a directory" in err
    nowhere = str(tmp_path / "no" / "file")
    code, _, err = run("render", "--target", "user-data", "--output", nowhere, write(DESCRIPTION))
    assert code == 2
    assert f"{nowhere}: can't be written: No such file or directory" in err


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path, run: Run, write: Write) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    file = write(DESCRIPTION)
    assert run("render", "--target", "user-data", "--output", str(link), file)[0] == 0
    assert link.is_symlink()
    assert Path("/dev/null").is_char_device()


def test_the_help_lists_the_subcommands(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert {"render", "check", "kube-reserved"} <= set(capsys.readouterr().out.split())
