"""No error shows a secret, wherever it was written, and no description holds one."""

import base64
import json

import pytest

from node_observability.errors import UsageError
from node_observability.nodegroup import chart_values, check_user_data
from node_observability.nodegroup.description import parse
from node_observability.nodegroup.formats import yaml_document

BASE = "name: workers\ncluster: {name: demo}\n"


def encoded(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def told_of_description(text: str) -> list[str]:
    try:
        document = yaml_document.read(text, "a.yaml")
    except UsageError as error:
        return list(error.problems)
    return [problem.sentence for problem in parse(document.data)[1]]


def told_of_user_data(text: str) -> list[str]:
    return [one.problem.sentence for one in check_user_data.check(text.encode()).errors]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "settings:\n  container-registry:\n    credentials:\n"
                "    - {registry: r, username: u, password: hunter2}\n"
            ),
            (
                "settings.container-registry.credentials[0].password: a secret may not stand here; write it"
                " under registries, as {env: NAME} or {file: PATH}"
            ),
        ),
        (
            "settings: {container-registry: {creds: [{registry: r, auth: aHVudGVyMjp4}]}}\n",
            (
                "settings.container-registry.creds[0].auth: a secret may not stand here; write it under"
                " registries, as {env: NAME} or {file: PATH}"
            ),
        ),
        (
            "settings: {aws: {credentials: aHVudGVyMjp4}}\n",
            (
                "settings.aws.credentials: a secret may not stand here; it has no place in a description; add"
                " it to what render makes"
            ),
        ),
        (
            (
                "settings: {host-containers: {admin: {user-data:"
                f" {encoded({'password-hash': 'hunter2'})}}}}}}}\n"
            ),
            (
                "settings.host-containers.admin.user-data: a secret may not stand here; write its password as"
                " adminContainer.passwordHash, {env: NAME} or {file: PATH}"
            ),
        ),
        (
            "kubelet: {bootstrap-token: abcdef.0123456789abcdef}\n",
            (
                "kubelet.bootstrap-token: a secret may not stand here; it has no place in a description; add"
                " it to what render makes"
            ),
        ),
        (
            "kubelet: {server-key: aHVudGVyMjp4}\n",
            (
                "kubelet.server-key: a secret may not stand here; it has no place in a description; add it to"
                " what render makes"
            ),
        ),
    ],
)
def test_a_secret_among_the_settings_of_a_description_is_refused(text: str, expected: str) -> None:
    assert told_of_description(BASE + text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        'registries: "u:hunter2"\n',
        "registries: [u:hunter2]\n",
        "registries: [{registry: {a: b}, mirrors: ['http ://u:hunter2']}]\n",
        "adminContainer: hunter2\n",
        "adminContainer: {user: 'root:hunter2'}\n",
        "adminContainer: {source: '<u:hunter2@example.com>'}\n",
        "adminContainer: {passwordHash: {env: {a: hunter2}}}\n",
        "cluster: hunter2\n",
        "settings: {network: {https-proxy: 'http://u:hunter2@a b'}}\n",
        "settings: {container-registry: {credentials: hunter2}}\n",
        "settings: {host-containers: {admin: {user-data: 'hunter2!'}}}\n",
        "kubelet: {credential-providers: {ecr-credential-provider: {environment: hunter2}}}\n",
        "registries: [{registry: r, auth: *hunter2}]\n",
        "registries: [{registry: r, auth: !hunter2}]\n",
        "registries: [{registry: r, auth: !hunter2!x}]\n",
        "registries: [{registry: r, hunter2: x}]\n",
        "registries: {hunter2: x}\n",
        "registries: [{registry: r, password: {hunter2: x}}]\n",
        "registries: [{registry: r, identitytoken: {env: 'hunter2!'}}]\n",
        "adminContainer: {hunter2: x}\n",
        "settings: {aws: {hunter2: x}}\n",
    ],
)
def test_an_error_of_a_description_shows_no_credentials(text: str) -> None:
    found = told_of_description((BASE if "cluster" not in text else "name: a\n") + text)
    assert found
    assert "hunter2" not in "".join(found)


def test_a_file_that_is_one_string_is_told_as_such() -> None:
    assert told_of_description("hunter2\n") == [
        "expected a description with name and cluster, found a string"
    ]
    _, problems = chart_values.selection("hunter2")
    assert [one.text for one in problems] == ["expected the chart's values, found a string"]


ENVIRONMENT = "[settings.kubernetes.credential-providers.ecr-credential-provider.environment]\n"
ADMIN = "[settings.host-containers.admin]\nuser-data = "


@pytest.mark.parametrize(
    "text",
    [
        "[settings.container-registry]\ncredentials = 'u:hunter2'\n",
        "[settings.container-registry]\ncredentials = ['u:hunter2']\n",
        "[[settings.container-registry.credentials]]\nregistry = ['hunter2']\nusername = 1\n",
        f"{ADMIN}'hunter2!'\n",
        f"{ADMIN}'{encoded('hunter2')}'\n",
        f"{ADMIN}'{encoded(['hunter2'])}'\n",
        f"{ADMIN}'{encoded({'password-hash': {'a': 'hunter2'}, 'user': 'root:hunter2'})}'\n",
        f"{ADMIN}'{encoded({'ssh': {'authorized-keys': 'hunter2'}})}'\n",
        "[settings.bootstrap-containers.a]\nuser-data = 'hunter2!'\n",
        "[settings.network]\nhttps-proxy = 'http://u:hunter2@a b'\n",
        "[settings.network]\nhttps-proxy = 'u:hunter2@a b'\n",
        "[settings.network]\nhttps-proxy = 'http://u:p@hunter2/x@a b'\n",
        f"[settings.network]\nhttps-proxy = 'http://{'u' * 40}:hunter2{'x' * 40}@a b'\n",
        f"{ENVIRONMENT}A = [ 'hunter2' ]\nB = \"hunter2\\n\"\n",
        "[settings]\naws = 'hunter2'\n",
        "[settings.aws]\nhunter2 = 'x'\n",
        "[[settings.container-registry.credentials]]\nregistry = 'r'\nhunter2 = 'x'\n",
        "[settings.container-registry.credentials]\nhunter2 = 'x'\n",
        "[[settings.container-registry.credentials]]\nhunter2/x = 'x'\n",
        f"{ADMIN}'{encoded({'hunter2': 1, 'ssh': {'hunter2': 1}})}'\n",
        f"{ENVIRONMENT}hunter2 = 1\n",
        ENVIRONMENT + '"hunter2\\n" = "x"\n',
        f"{ENVIRONMENT}hunter2.x = 'x'\n",
        "[settings.kubernetes.static-pods.a]\nhunter2 = 'x'\n",
        "[settings.aws]\nconfig = 'hunter2!'\n",
    ],
)
def test_an_error_of_user_data_shows_no_credentials(text: str) -> None:
    found = told_of_user_data(text)
    assert found
    assert "hunter2" not in "".join(found)


def test_a_typo_among_secrets_is_shown_and_another_key_told_by_its_line() -> None:
    text = "[[settings.container-registry.credentials]]\nregistry = 'r'\npasword = 'x'\nabc = 'x'\n"
    report = check_user_data.check(text.encode())
    assert [(one.line, one.problem.sentence) for one in report.errors] == [
        (
            3,
            (
                "settings.container-registry.credentials[0].pasword: there is no such key; did you mean"
                " password?"
            ),
        ),
        (4, "settings.container-registry.credentials[0].…: there is no such key"),
    ]


def test_an_address_is_shown_without_its_account() -> None:
    assert told_of_user_data("[settings.network]\nhttps-proxy = 'http://u:p@a b'\n") == [
        'settings.network.https-proxy: expected a URL or an image reference, found "http://…@a b"'
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'https://u:p@a' = 1", '"https://…@a": expected an array, each item a URL or an image'),
        ("'u:p@a'.b = 'c'", '"…@a": a key with dots must be in quotes: "…@a.b" = …'),
    ],
)
def test_an_address_that_is_a_key_is_shown_without_its_account(text: str, expected: str) -> None:
    (found,) = told_of_user_data(f"[settings.container-registry.mirrors]\n{text}\n")
    assert found.startswith(f"settings.container-registry.mirrors.{expected}")
