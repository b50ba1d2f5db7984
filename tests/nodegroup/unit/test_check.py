"""Existing user data: what is wrong with it, where, and how to mend it."""

import base64
import gzip
import json

import pytest

from node_observability.nodegroup import check_user_data

ADMIN = "settings.host-containers.admin.user-data"
CREDENTIALS = "[[settings.container-registry.credentials]]\nregistry = 'r'\n"


def encoded(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def sentences(text: str) -> list[str]:
    report = check_user_data.check(text.encode())
    return [f"{one.line or ''} {one.problem.sentence}".strip() for one in report.errors]


WRONG = [
    # Names.
    (
        "[settings.kubernetes]\nmax-pod = 110\n",
        "2 settings.kubernetes.max-pod: there is no such key; did you mean max-pods?",
    ),
    (
        "[settings.kubernetes]\nmaxPods = 110\n",
        "2 settings.kubernetes.maxPods: is the kubelet's name; Bottlerocket's is max-pods",
    ),
    (
        "[settings.kubernets]\n",
        "1 settings.kubernets: there is no such key; did you mean kubernetes?",
    ),
    (
        "[setings.kubernetes]\n[settings]\n",
        "1 setings: there is no such key; did you mean settings?",
    ),
    (
        "motd = 'hello'\n",
        "1 motd: stands outside of settings; write settings.motd\nsettings: is missing",
    ),
    (
        "[settings.kubernetes.feature-gates]\nX = true\n",
        (
            "1 settings.kubernetes.feature-gates: Bottlerocket has no setting for feature gates: its kubelet"
            " configuration fixes them for each Kubernetes version; leave this out, or use a version in which"
            " the gate is on"
        ),
    ),
    (
        "[settings.kubernetes]\nregistryPullQPS = 5\n",
        "2 settings.kubernetes.registryPullQPS: is the kubelet's name; Bottlerocket's is registry-qps",
    ),
    (
        "[settings.kubernetes]\npodsPerCore = 5\n",
        "2 settings.kubernetes.podsPerCore: Bottlerocket has no setting for it; set max-pods",
    ),
    # Types and ranges.
    (
        '[settings.kubernetes]\nmax-pods = "110"\n',
        '2 settings.kubernetes.max-pods: expected an integer from 0 to 4294967295, found "110"',
    ),
    (
        "[settings.kubernetes]\nmax-pods = true\n",
        "2 settings.kubernetes.max-pods: expected an integer from 0 to 4294967295, found true",
    ),
    (
        "[settings.kubernetes]\ncontainer-log-max-files = 1\n",
        (
            "2 settings.kubernetes.container-log-max-files: expected an integer from 2 to 2147483647,"
            " found 1"
        ),
    ),
    (
        "[settings.kubernetes]\nids-per-pod = 70000\n",
        (
            "2 settings.kubernetes.ids-per-pod: expected an integer from 65536 to 4294967295, a multiple of"
            " 65536, found 70000"
        ),
    ),
    (
        "[settings.kubernetes]\nimage-gc-high-threshold-percent = 101\n",
        (
            "2 settings.kubernetes.image-gc-high-threshold-percent: expected an integer from 0 to 100,"
            " found 101"
        ),
    ),
    (
        "[settings.kubernetes]\ntopology-manager-policy = 'numa'\n",
        (
            '2 settings.kubernetes.topology-manager-policy: expected "none", "restricted", "best-effort" or'
            ' "single-numa-node", found "numa"'
        ),
    ),
    (
        "[settings.host-containers.admin]\nenabled = 'yes'\n",
        '2 settings.host-containers.admin.enabled: expected true or false, found "yes"',
    ),
    ("[settings]\nmotd = 1\n", "2 settings.motd: expected a string, found 1"),
    ("settings = 1\n", "1 settings: expected a table, found 1"),
    ("[settings]\nkernel = []\n", "2 settings.kernel: expected a table, found an empty array"),
    # Patterns.
    (
        "[settings.kubernetes]\ncontainer-log-max-size = '50 MB'\n",
        (
            "2 settings.kubernetes.container-log-max-size: expected a quantity as"
            ' "50Mi", "1Gi" or "100m" (suffixes Ki Mi Gi Ti Pi Ei, n u m k M G T P E; no "K"),'
            ' found "50 MB"'
        ),
    ),
    (
        "[settings.kubernetes]\nshutdown-grace-period = '30'\n",
        (
            '2 settings.kubernetes.shutdown-grace-period: expected a duration as "30s", "1h5m" or "250ms"'
            ' (hours, minutes, seconds, milliseconds, in that order), found "30"'
        ),
    ),
    (
        "[settings.kubernetes.eviction-hard]\n'memory.available' = '100%'\n",
        (
            '2 settings.kubernetes.eviction-hard."memory.available": expected a quantity above 0 as "100Mi",'
            ' or a percentage from "0%" to below "100%", found "100%"'
        ),
    ),
    (
        "[settings.kubernetes.kube-reserved]\ngpu = '1'\n",
        (
            '2 settings.kubernetes.kube-reserved.gpu: expected "cpu", "memory", "ephemeral-storage" or "pid"'
            " as the key"
        ),
    ),
    (
        "[settings.kubernetes.node-labels]\n'-os' = 'x'\n",
        (
            "2 settings.kubernetes.node-labels.-os: expected a label key: an optional DNS prefix and '/',"
            " then up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends as the key"
        ),
    ),
    (
        "[settings.kubernetes]\ncluster-certificate = 'not base64!'\n",
        (
            "2 settings.kubernetes.cluster-certificate: expected base64 (standard alphabet, padded, no line"
            ' ends), found "not base64!"'
        ),
    ),
    # Taints.
    (
        "[settings.kubernetes.node-taints]\nos = 'bottlerocket:NoShedule'\n",
        (
            '2 settings.kubernetes.node-taints.os: expected "VALUE:EFFECT", VALUE as for a label or empty,'
            " EFFECT one of NoSchedule, PreferNoSchedule, NoExecute,"
            ' found "bottlerocket:NoShedule"'
        ),
    ),
    (
        "[settings.kubernetes.node-taints]\nos = []\n",
        "2 settings.kubernetes.node-taints.os: expected 1 or more items, found 0",
    ),
    (
        "[settings.kubernetes.node-taints]\nos = ['bottlerocket']\n",
        (
            '2 settings.kubernetes.node-taints.os[0]: expected "VALUE:EFFECT", VALUE as for a label or'
            " empty, EFFECT one of NoSchedule, PreferNoSchedule, NoExecute,"
            ' found "bottlerocket"'
        ),
    ),
    (
        "[settings.kubernetes.node-labels]\n'node-role.kubernetes.io/worker' = ''\n",
        (
            '2 settings.kubernetes.node-labels."node-role.kubernetes.io/worker": the kubelet may not set'
            " labels of Kubernetes' own domains, and does not start with it"
        ),
    ),
    (
        "[settings.network]\nhosts = [['10.0.0.1', '10.0.0.2']]\n",
        (
            '2 settings.network.hosts[0]: expected an address and its names, as ["10.0.0.1",'
            ' ["a.example.com"]], found an array'
        ),
    ),
    (
        "[settings.oci-defaults.capabilities]\nsys-admn = true\n",
        "2 settings.oci-defaults.capabilities.sys-admn: ",
    ),
    (
        "[settings.kubernetes.node-taints]\nos = ['a:NoExecute', 'b:NoExecute']\n",
        "2 settings.kubernetes.node-taints.os[1]: os has the effect NoExecute already",
    ),
    (
        f"{CREDENTIALS}auth = 'dTpw'\n{CREDENTIALS}auth = 'dTpw'\n",
        (
            "5 settings.container-registry.credentials[1].registry: stands above too, and one of them"
            " counts; keep one"
        ),
    ),
    # Quotes that are missing.
    (
        "[settings.kubernetes.node-labels]\nexample.com = 'x'\n",
        (
            "2 settings.kubernetes.node-labels.example: a key with dots must be in quotes:"
            ' "example.com" = …'
        ),
    ),
    (
        "[settings.kubernetes.eviction-hard]\nmemory.available = '5%'\n",
        (
            "2 settings.kubernetes.eviction-hard.memory: a key with dots must be in quotes:"
            ' "memory.available" = …'
        ),
    ),
    (
        "[settings.kubernetes.node-labels]\nnode.hpcnt.com/os = 'bottlerocket'\n",
        '2 a key with a slash must be in quotes: "node.hpcnt.com/os" = …',
    ),
    (
        "[settings.aws]\nYXdz/secret = 'x'\n",
        '2 a key with a slash must be in quotes: "KEY/NAME" = …',
    ),
    # Other things than user data.
    (
        "# nodes\n---\nname: a\n",
        "looks like YAML; name a description .yaml, or write TOML",
    ),
    ("", "is empty; write TOML with a table [settings]"),
    (
        "#!/bin/bash\n/etc/eks/bootstrap.sh demo\n",
        "is a script, and Bottlerocket runs none; write TOML with a table [settings]",
    ),
    (
        "#cloud-config\n",
        "is for cloud-init, which Bottlerocket has not; write TOML with a table [settings]",
    ),
    ('{"settings": {}}', "looks like JSON; user data is TOML with a table [settings]"),
    (
        base64.b64encode(b"[settings]\nmotd = 'a'\n").decode(),
        "is base64; check what it decodes to (base64 -d)",
    ),
    (
        base64.encodebytes(b"[settings]\n" + b"#" * 13000).decode(),
        "is base64; check what it decodes to (base64 -d)",
    ),
    (
        base64.b64encode(gzip.compress(b"[settings]\nmotd = 'a'\n")).decode(),
        "is base64; check what it decodes to (base64 -d)",
    ),
    (
        "Content-type: multipart/mixed; boundary=a\n",
        "is MIME for cloud-init, which Bottlerocket has not; write TOML",
    ),
    # Settings that do not go together.
    (
        "[settings.kubernetes.eviction-soft]\n'memory.available' = '5%'\n",
        (
            '2 settings.kubernetes.eviction-soft."memory.available": has no eviction-soft-grace-period, and'
            " the kubelet does not start without"
        ),
    ),
    (
        (
            "[settings.kubernetes]\nimage-gc-high-threshold-percent = 80\n"
            "image-gc-low-threshold-percent = '85'\n"
        ),
        (
            "3 settings.kubernetes.image-gc-low-threshold-percent: is 85, and must be below the high"
            " threshold, which is 80"
        ),
    ),
    (
        f"{CREDENTIALS}username = 'u'\n",
        (
            "1 settings.container-registry.credentials[0]: has no credentials: write password, auth or"
            " identitytoken\n1 settings.container-registry.credentials[0]: username and password belong"
            " together"
        ),
    ),
    (
        f"{CREDENTIALS}auth = 'dTpw'\nidentitytoken = 't'\n",
        "1 settings.container-registry.credentials[0]: has auth and identitytoken; keep one",
    ),
    (
        "[settings.host-containers.mine]\nenabled = true\n",
        "1 settings.host-containers.mine: has no source: only admin and control have an image by default",
    ),
    (
        "[settings.bootstrap-commands.disk]\ncommands = [['mkfs', '/dev/xvdc']]\n",
        '2 settings.bootstrap-commands.disk.commands[0]: only apiclient can be run here, not "mkfs"',
    ),
    # The document within.
    (
        f"[settings.host-containers.admin]\nuser-data = '{encoded({'ssh': {'authorised-keys': []}})}'\n",
        (
            f"2 {ADMIN}.ssh.authorised-keys: there is no such key; did you mean authorized-keys? (in the"
            " JSON)"
        ),
    ),
    (
        "[settings.host-containers.admin]\nuser-data = 'aGVsbG8='\n",
        f"2 {ADMIN}: expected base64 of a JSON object, as the admin container reads it",
    ),
    (
        (
            "[settings.host-containers.admin]\n"
            f"user-data = '{encoded({'ssh': {'authorized-keys-command': '/bin/true'}})}'\n"
        ),
        (
            f"2 {ADMIN}.ssh: sshd wants authorized-keys-command and authorized-keys-command-user together"
            " (in the JSON)"
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_wrong_user_data_is_told_by_place_and_fix(text: str, expected: str) -> None:
    found = sentences(text)
    if expected.endswith(": "):
        found = [sentence[: len(expected)] for sentence in found]
    assert found == expected.split("\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[settings\n", 1),
        ("[settings]\nmotd = 'a'\nmotd = 'b'\n", 3),
        ("[settings]\nmotd = 'a\n", 2),
        ('[settings]\n\nmotd = """a\n', 3),
    ],
)
def test_what_is_not_toml_is_told_by_its_line(text: str, line: int) -> None:
    (sentence,) = sentences(text)
    assert sentence.startswith(f"{line} not TOML: ")


def test_every_problem_is_told_at_once() -> None:
    text = "[settings]\nmotd = 1\n\n[settings.kubernetes]\nmax-pod = 1\nlog-level = 256\n"
    assert [sentence.split(":")[0] for sentence in sentences(text)] == [
        "2 settings.motd",
        "5 settings.kubernetes.max-pod",
        "6 settings.kubernetes.log-level",
    ]


RIGHT = [
    # The production post's, with a certificate that is one.
    """
[settings.host-containers.admin]
enabled = true

[settings.kubernetes]
api-server = "https://eks..."
cluster-certificate = "QkFTRTY0"
cluster-name = "hyperconnect-cluster"

[settings.kubernetes.node-labels]
os = "bottlerocket"

[settings.kubernetes.node-taints]
os = "bottlerocket:NoSchedule"
""",
    "[settings.kubernetes.node-taints]\nos = 'bottlerocket:NoSchedule'\n",
    "[settings.kubernetes.node-taints]\n'a.b/c' = [':NoExecute', 'x:PreferNoSchedule']\n",
    "[settings.kubernetes.node-labels]\n'node.hpcnt.com/os' = ''\n",
    "[settings.kubernetes.node-labels]\n'node.kubernetes.io/a' = ''\n'topology.kubernetes.io/zone' = 'a'\n",
    "[settings.ntp]\ntime-servers = ['fd00:ec2::123', '169.254.169.123', 'time.example.com']\n",
    "[settings.host-containers.mine]\nsource = 'ubuntu:24.04'\n",
    "[settings.kubernetes]\ncluster-dns-ip = ['10.100.0.10', 'fd00::10']\n",
    "[settings.kubernetes]\nfail-cgroupv1 = true\ncloud-provider = ''\n",
    "[settings.kubernetes]\nimage-gc-high-threshold-percent = '85'\n",
    "[settings.container-registry.mirrors]\n'docker.io' = ['https://mirror.example.com']\n",
    "[[settings.container-registry.creds]]\nregistry = 'r'\nauth = 'dTpw'\n",
    "[settings.host-containers.admin]\nsource = '1.dkr.ecr.eu-west-1.amazonaws.com/a:v1'\n",
    "[settings.kernel.sysctl]\n'net.core.somaxconn' = '4096'\n",
    "[settings.kernel.modules.sctp]\nallowed = true\nautoload = true\n",
    "[settings.boot.kernel]\n'crashkernel' = ['2G-:256M']\n",
    "[settings.oci-defaults.resource-limits.max-open-files]\nhard-limit = 'unlimited'\nsoft-limit = -1\n",
    "[settings.network]\nhosts = [['10.0.0.1', ['a.example.com', 'a']]]\n",
    "[settings.container-runtime]\nconcurrent-download-chunk-size = '8mib'\n",
    "[settings.updates]\nversion-lock = 'v1.66.0'\n",
    "# a comment alone\n\n[settings]\nmotd = '''\nseveral\nlines'''\n",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_user_data_is_accepted(text: str) -> None:
    assert sentences(text) == []


def test_a_byte_order_mark_is_read_and_warned_of() -> None:
    marked = "\ufeff[settings]\nmotd = 'a'\n".encode()
    for data in (marked, gzip.compress(marked)):
        report = check_user_data.check(data)
        assert report.errors == ()
        assert report.settings == {"motd": "a"}
        assert [(one.line, one.problem.sentence) for one in report.warnings] == [
            (
                1,
                (
                    "begins with a byte order mark, which not all that merge user data read; save it"
                    " without"
                ),
            )
        ]
    assert sentences("\ufeff") == ["is empty; write TOML with a table [settings]"]


def test_what_ec2_does_not_take_is_too_large() -> None:
    text = f"[settings]\nmotd = '{'x' * 16384}'\n"
    assert sentences(text) == ["is 16405 bytes, 21 more than EC2 takes (16384); gzip it"]
    packed = check_user_data.check(gzip.compress(text.encode()))
    assert packed.errors == ()
    assert packed.size_bytes < 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1f\x8bnonsense", "begins as gzip and can't be unpacked"),
        (gzip.compress(b"#" * (1024 * 1024 + 1)), "unpacks to more than 1048576 bytes"),
        (b"[settings]\nmotd = '\xff'\n", "is not UTF-8: byte 0xff in line 2"),
    ],
)
def test_bytes_that_are_no_user_data_are_told(data: bytes, expected: str) -> None:
    (finding,) = check_user_data.check(data).errors
    assert finding.problem.sentence == expected


def test_secrets_and_unknown_insides_are_warned_of_without_being_shown() -> None:
    text = (
        f"{CREDENTIALS}username = 'u'\npassword = 'hunter2'\n\n"
        "[settings.kubelet-device-plugins.nvidia]\nx = 1\n"
    )
    report = check_user_data.check(text.encode())
    assert report.errors == ()
    told = [f"{one.line} {one.problem.sentence}" for one in report.warnings]
    assert told == [
        "6 settings.kubelet-device-plugins: is not checked: the group is known, its keys are not",
        (
            "4 settings.container-registry.credentials[0].password: can be read on the node, by every pod"
            " that reaches the instance metadata"
        ),
    ]
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize(
    "text",
    [
        f"{CREDENTIALS}auth = 'hunter2'\n",
        f"{CREDENTIALS}username = 'u'\npassword = ['hunter2']\n",
        f'{CREDENTIALS}identitytoken = "hunter2\\n"\n',
        "[settings.kubernetes]\nbootstrap-token = 'hunter2'\n",
        "[settings.kubernetes]\nserver-key = 'hunter2'\n",
        "[settings.aws]\ncredentials = 'hunter2'\n",
        f"{CREDENTIALS}password = 'hunter2\n",
        f"{CREDENTIALS}auth = hunter2\n",
    ],
)
def test_a_secret_of_the_wrong_form_is_told_and_not_shown(text: str) -> None:
    found = sentences(text)
    assert found
    assert "hunter2" not in "".join(found)


def test_a_password_in_the_admin_containers_user_data_is_warned_of() -> None:
    text = f"[settings.host-containers.admin]\nuser-data = '{encoded({'password-hash': '$y$x'})}'\n"
    (warning,) = check_user_data.check(text.encode()).warnings
    assert warning.line == 2
    assert warning.problem.text.startswith("can be read on the node")


OWN = "[settings.host-containers.admin]\nsource = 'registry.example.com/tools/admin:v1'\n"
MIRRORED = OWN.replace("tools/admin:v1", "mirror/bottlerocket-admin@sha256:0")
NOBODY = (
    f"2 {ADMIN}.ssh: has neither a key nor a command nor a password, so nobody logs in by SSH; the EC2 key"
    " counts only without user data"
)


def warned(text: str) -> list[str]:
    report = check_user_data.check(text.encode())
    assert report.errors == ()
    return [f"{one.line} {one.problem.sentence}" for one in report.warnings]


def test_an_admin_image_of_ones_own_may_have_any_user_data() -> None:
    assert warned(f"{OWN}user-data = 'aGVsbG8='\n") == [
        (
            f"3 {ADMIN}: expected base64 of a JSON object, as the admin container reads it; but an image of"
            " your own may read it otherwise"
        )
    ]
    assert warned(f"{OWN}user-data = '{encoded({'ssh': {'authorized-keys': []}})}'\n") == []


def test_the_admin_image_in_a_mirror_is_bottlerockets() -> None:
    assert sentences(f"{MIRRORED}user-data = 'aGVsbG8='\n") == [
        f"3 {ADMIN}: expected base64 of a JSON object, as the admin container reads it"
    ]


@pytest.mark.parametrize(
    "content",
    [
        {"ssh": {"authorized-keys": []}},
        {"ssh": {"ciphers": ["aes256-ctr"]}},
        {"user": "core"},
        {},
    ],
)
def test_admin_user_data_without_a_way_in_is_a_warning(content: dict[str, object]) -> None:
    text = f"[settings.host-containers.admin]\nuser-data = '{encoded(content)}'\n"
    assert warned(text) == [NOBODY]


@pytest.mark.parametrize(
    "ssh",
    [
        {"authorized-keys": ["ssh-ed25519 A"]},
        {"authorized_keys": ["ssh-ed25519 A"]},
        {"trusted-user-ca-keys": ["ssh-ed25519 A"], "authorized-keys": []},
        {"trusted_user_ca_keys": ["ssh-ed25519 A"]},
        {"authorized-keys-command": "/bin/a %u", "authorized-keys-command-user": "a"},
    ],
)
def test_admin_user_data_with_a_way_in_is_no_news(ssh: dict[str, object]) -> None:
    text = f"[settings.host-containers.admin]\nuser-data = '{encoded({'ssh': ssh})}'\n"
    assert warned(text) == []


def test_an_empty_list_of_ciphers_is_refused_for_sshd_would_not_start() -> None:
    text = f"[settings.host-containers.admin]\nuser-data = '{encoded({'ssh': {'ciphers': []}})}'\n"
    assert sentences(text) == [
        f"2 {ADMIN}.ssh.ciphers: expected 1 or more items, found 0 (in the JSON)"
    ]
