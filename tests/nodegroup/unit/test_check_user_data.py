"""User data as bytes: its size, its encoding, and what is not TOML. See also ``test_cases``."""

import base64
import gzip

import pytest

from node_observability.nodegroup import check_user_data
from tests.support.nodegroups import user_data_errors

CREDENTIALS = "[[settings.container-registry.credentials]]\nregistry = 'r'\n"


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(b"[settings]\nmotd = 'a'\n"),
        base64.encodebytes(b"[settings]\n" + b"#" * 13000),
        base64.b64encode(gzip.compress(b"[settings]\nmotd = 'a'\n")),
    ],
)
def test_base64_is_an_error_whatever_it_contains(text: bytes) -> None:
    assert user_data_errors(text.decode()) == ["is base64; check what it decodes to (base64 -d)"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[settings\n", 1),
        ("[settings]\nmotd = 'a'\nmotd = 'b'\n", 3),
        ("[settings]\nmotd = 'a\n", 2),
        ('[settings]\n\nmotd = """a\n', 3),
    ],
)
def test_what_is_not_toml_is_an_error_with_its_line(text: str, line: int) -> None:
    (sentence,) = user_data_errors(text)
    assert sentence.startswith(f"{line} not TOML: ")


def test_a_byte_order_mark_is_read_with_a_warning() -> None:
    marked = "\ufeff[settings]\nmotd = 'a'\n".encode()
    for data in (marked, gzip.compress(marked)):
        report = check_user_data.check(data)
        assert report.errors == ()
        assert report.settings == {"motd": "a"}
        (warning,) = report.warnings
        assert (warning.line, warning.path) == (1, ())
        assert warning.text.startswith("begins with a byte order mark, which some programs can't")
    assert user_data_errors("\ufeff") == ["is empty; write TOML with a table [settings]"]


def test_user_data_above_ec2s_limit_is_an_error_until_gzip_makes_it_fit() -> None:
    text = f"[settings]\nmotd = '{'x' * 16384}'\n"
    assert user_data_errors(text) == ["16405 bytes, 21 above EC2's limit of 16384; gzip it"]
    packed = check_user_data.check(gzip.compress(text.encode()))
    assert packed.errors == ()
    assert packed.size_bytes < 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1f\x8bnonsense", "begins as gzip but can't be unpacked"),
        (gzip.compress(b"#" * (1024 * 1024 + 1)), "unpacks to more than 1 MiB"),
        (b"[settings]\nmotd = '\xff'\n", "is not UTF-8: byte 0xff in line 2"),
    ],
)
def test_bytes_that_are_not_user_data_are_an_error(data: bytes, expected: str) -> None:
    (problem,) = check_user_data.check(data).errors
    assert problem.sentence == expected


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
def test_the_error_of_a_malformed_secret_does_not_show_it(text: str) -> None:
    found = user_data_errors(text)
    assert found
    assert "hunter2" not in "".join(found)
