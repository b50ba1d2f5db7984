"""Input that exceeds a limit (nested, repeated, long) has one error, and soon."""

import gzip
import json
from base64 import b64encode
from pathlib import Path

import pytest

from node_observability import cli
from node_observability.errors import UsageError
from node_observability.nodegroup import check_user_data
from node_observability.nodegroup.formats import toml_reader, yaml_document
from tests.support.nodegroups import description_errors, user_data_errors

BASE = "name: workers\ncluster: {name: demo}\n"


def yaml_errors(text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        yaml_document.read(text, "a")
    return [problem.removeprefix("a:").replace(": ", " ", 1) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[settings]\nmotd = {'[' * 3000}\n", "2 is nested more than 100 deep"),
        (f"[settings]\nmotd = {'{a=' * 3000}\n", "2 is nested more than 100 deep"),
        (f"[settings]\n{'a.' * 3000}a = 1\n", "2 is nested more than 100 deep"),
        (f"[{'a.' * 3000}a]\n", "1 is nested more than 100 deep"),
        (
            f"[settings.kubernetes]\n\nmax-pods = {'9' * 5000}\n",
            "3 has an integer with too many digits",
        ),
        (
            f"[settings.kubernetes]\nmax-pods = 0x{'f' * 5000}\n",
            (
                "2 settings.kubernetes.max-pods: expected an integer from 0 to 4294967295, found an integer"
                " of more than 64 bits"
            ),
        ),
    ],
)
def test_toml_that_exceeds_a_limit_is_an_error_with_its_line(text: str, expected: str) -> None:
    assert user_data_errors(text) == [expected]


def test_deeply_nested_json_is_an_error() -> None:
    data = b64encode(b"[" * 9000).decode()
    assert user_data_errors(f"[settings.host-containers.admin]\nuser-data = '{data}'\n") == [
        (
            "2 settings.host-containers.admin.user-data: expected base64 of a JSON object, which the"
            " admin container reads"
        )
    ]


@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_lines_of_a_long_string_are_read_once(quotes: str) -> None:
    # 40,000 lines: parsed again for each line, this would take hours.
    body = "a\n" * 40_000
    text = f"[settings]\nmotd = {quotes}\n{body}{quotes}\n\n[settings.kubernetes]\nmax-pod = 1\n"
    found = check_user_data.check(gzip.compress(text.encode()))
    assert [one.line for one in found.errors] == [40_006]


def test_the_size_is_the_only_error_if_gzip_would_not_help() -> None:
    (sentence,) = user_data_errors("[settings]\nmotd = [" + "1,\n" * 100_000)
    assert sentence.startswith("300019 bytes, 283635 above EC2's limit of 16384")


STATEMENTS = {
    "[a]\nb = 1\n": [(1, "[a]"), (2, "b = 1")],
    '# [x]\n\n  [a] # "\nb = [\n1, # ]\n2]\n': [(3, '[a] # "'), (4, "b = [\n1, # ]\n2]")],
    'a = """\n[b]\n"""""\nc = 1': [(1, 'a = """\n[b]\n"""""'), (4, "c = 1")],
    'a = """"""\nb = 1': [(1, 'a = """"""'), (2, "b = 1")],
    "a = '''\n''' # '''\nb = 1\n": [(1, "a = '''\n''' # '''"), (3, "b = 1")],
    'a = "\\"["\nb = \'[\'\n': [(1, 'a = "\\"["'), (2, "b = '['")],
    'a = """\\"""\n"""\nb = 1\n': [(1, 'a = """\\"""\n"""'), (3, "b = 1")],
    '[[a."b]"]]\n"c#" = {d = 1}\n': [(1, '[[a."b]"]]'), (2, '"c#" = {d = 1}')],
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_document_is_split_into_statements(text: str) -> None:
    assert toml_reader.read(text).data
    found = [(one.line, one.text) for one in toml_reader.statements(text)]
    assert found == STATEMENTS[text]


def test_a_bomb_of_aliases_is_an_error() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    found = yaml_errors("\n".join(lines))
    assert found == ["5 more than 100,000 values, with aliases (*) written out"]


def test_a_bomb_of_merges_is_an_error() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    assert len(yaml_errors("\n".join(lines))) == 1


@pytest.mark.parametrize("text", ["a: " + "[" * 3000, "a: " + "{a: " * 3000, "- " * 3000])
def test_deeply_nested_yaml_is_an_error(text: str) -> None:
    assert yaml_errors(text) == ["1 nested more than 100 levels deep"]


@pytest.mark.parametrize(
    "value", ["!!int hunter2", "!!bool hunter2", "!!timestamp x", "!!float x", "!!null x", "="]
)
def test_the_error_of_a_tag_that_does_not_fit_does_not_show_the_value(value: str) -> None:
    (sentence,) = yaml_errors(f"a: {value}\n")
    assert sentence.startswith("1 a: has a tag, or is not a plain value to YAML")


@pytest.mark.parametrize("text", ["'='", '"="', "!!str ="])
def test_an_equals_sign_in_quotes_is_a_string(text: str) -> None:
    assert yaml_document.read(f"a: {text}\n", "x.yaml").data == {"a": "="}
    with pytest.raises(UsageError, match="a: has a tag, or is not a plain value to YAML"):
        yaml_document.read("a: =\n", "x.yaml")


@pytest.mark.parametrize("value", ["!!set {a, b}", "!!binary aGk=", "!!omap [a: 1]", "!!pairs []"])
def test_tags_of_other_types_are_refused(value: str) -> None:
    assert yaml_errors(f"a: {value}\n")[0].startswith("1 a: has a tag")


def test_numbers_with_more_digits_than_python_reads_are_an_error() -> None:
    assert yaml_errors(f"a: {'9' * 5000}\n")[0].startswith("1 not YAML: Exceeds the limit")
    (problem,) = description_errors(f"{BASE}size: {{min: 0x{'f' * 5000}}}\n")
    assert problem.endswith("found an integer of more than 64 bits")


def test_a_description_of_more_than_a_mebibyte_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{BASE}motd: {json.dumps('x' * 1024 * 1024)}\n")
    assert cli.main(["nodegroup", "check", str(file)]) == 2
    assert f"{file}: is larger than 1 MiB" in capsys.readouterr().err
