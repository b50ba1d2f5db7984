"""No error shows a secret, wherever it was written. See also ``test_cases``."""

import json

import pytest

from node_observability.nodegroup import chart_values
from tests.support.nodegroups import description_errors, encoded, user_data_errors

BASE = "name: workers\ncluster: {name: demo}\n"


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
    found = description_errors((BASE if "cluster" not in text else "name: a\n") + text)
    assert found
    assert "hunter2" not in "".join(found)


def test_the_error_of_a_file_that_is_one_string_does_not_show_it() -> None:
    assert description_errors("hunter2\n") == [
        "1 expected a description with name and cluster, found a string"
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
        f"{ADMIN}'{encoded(json.dumps('hunter2'))}'\n",
        f"{ADMIN}'{encoded(json.dumps(['hunter2']))}'\n",
        f"{ADMIN}'{encoded(json.dumps({'password-hash': {'a': 'hunter2'}, 'user': 'root:hunter2'}))}'\n",
        f"{ADMIN}'{encoded(json.dumps({'ssh': {'authorized-keys': 'hunter2'}}))}'\n",
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
        f"{ADMIN}'{encoded(json.dumps({'hunter2': 1, 'ssh': {'hunter2': 1}}))}'\n",
        f"{ENVIRONMENT}hunter2 = 1\n",
        ENVIRONMENT + '"hunter2\\n" = "x"\n',
        f"{ENVIRONMENT}hunter2.x = 'x'\n",
        "[settings.kubernetes.static-pods.a]\nhunter2 = 'x'\n",
        "[settings.aws]\nconfig = 'hunter2!'\n",
    ],
)
def test_an_error_of_user_data_shows_no_credentials(text: str) -> None:
    found = user_data_errors(text)
    assert found
    assert "hunter2" not in "".join(found)
