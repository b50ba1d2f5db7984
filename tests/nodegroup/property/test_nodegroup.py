"""What holds for any value: quoting reads back, patterns agree with the published grammars."""

import re
import string
import tomllib

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from node_observability.nodegroup import check_user_data, load
from node_observability.nodegroup.formats import templates, toml_reader, yaml_document
from node_observability.nodegroup.render import losses
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.schema import admin_container, kubernetes_values
from node_observability.nodegroup.schema.bottlerocket import SETTINGS
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.schema.description import DESCRIPTION
from node_observability.nodegroup.schema.kinds import (
    LINE,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
)
from tests.support.nodegroups import described, description_errors, rendered

# Everything that UTF-8 can carry.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SCALAR = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUE = st.one_of(SCALAR, st.lists(SCALAR, max_size=3))
TREE = st.recursive(
    st.dictionaries(KEY, VALUE, max_size=4),
    lambda inner: st.dictionaries(
        KEY,
        st.one_of(VALUE, inner, st.lists(st.dictionaries(KEY, SCALAR), min_size=1, max_size=2)),
        max_size=3,
    ),
    max_leaves=8,
)
NAME = st.from_regex(r"[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?", fullmatch=True)
SUFFIXES = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3"]


@given(TREE)
def test_toml_reads_back_as_it_was(tree: dict[str, object]) -> None:
    assert tomllib.loads(templates.user_data(tree)) == {"settings": tree}


@given(TREE)
def test_every_key_of_a_document_has_its_line(tree: dict[str, object]) -> None:
    text = templates.user_data(tree)
    document = toml_reader.read(text)
    lines = text.splitlines()
    for key, value in tree.items():
        line = document.line(("settings", key))
        assert line is not None
        if not isinstance(value, dict | list):
            assert tomllib.loads(lines[line - 1]) == {key: value}


@given(TREE, st.integers(1, 8))
def test_yaml_reads_back_as_it_was(tree: dict[str, object], steps: int) -> None:
    text = f"{' ' * (2 * steps - 2)}key:{yaml_document.block(tree, 2 * steps)}\n"
    assert yaml.safe_load(text) == {"key": tree}


@given(TEXT, st.integers(1, 8))
def test_a_yaml_string_stays_a_string(text: str, steps: int) -> None:
    line = f"{' ' * (2 * steps - 2)}key:{yaml_document.block(text, 2 * steps)}\n"
    assert yaml.safe_load(line) == {"key": text}


@pytest.mark.parametrize(
    "word", ["y", "N", "on", "no", "null", "~", "1e3", "0x1f", "1_000", "12:30:45"]
)
def test_a_word_that_some_reader_takes_for_something_else_is_quoted(word: str) -> None:
    assert yaml_document.block(word, 2) == f' "{word}"'


def _without_message(target: str, motd: str) -> tuple[object, str]:
    """Return a target's resources without the user data, and the message in the user data."""
    group = described(motd=motd, subnets=["subnet-01234567"])
    # What EKS can't merge is an error.
    assume(not losses(target, group))
    text = rendered(target, group)
    # Without CloudFormation's tags; a message that held one would not read back.
    resources = list(yaml.safe_load_all(re.sub(r"(: |- )!(?:Ref|Sub|GetAtt) ", r"\1", text)))
    if target == "karpenter":
        user_data = resources[0]["spec"].pop("userData")
    else:
        template = resources[0]["Resources"].pop("LaunchTemplate")
        user_data = template["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    return resources, tomllib.loads(user_data)["settings"]["motd"]


@pytest.mark.parametrize("target", ["cloudformation", "karpenter"])
@given(motd=TEXT.filter(lambda text: "!" not in text))
def test_no_message_breaks_out_of_its_place(target: str, motd: str) -> None:
    assert _without_message(target, motd) == (_without_message(target, "x")[0], motd)


@given(st.binary(max_size=64))
def test_any_bytes_have_a_report_and_no_traceback(data: bytes) -> None:
    assert check_user_data.check(data).size_bytes == len(data)


@given(st.text(string.printable))
def test_any_text_has_a_report_and_no_traceback(text: str) -> None:
    assert check_user_data.check(text.encode()).size_bytes == len(text)


# The patterns of the settings models; ours must not accept what these refuse.
_NUMBER = r"([0-9]+\.)?[0-9]+"
_MODEL = {
    kubernetes_values.LABEL_KEY: r"([0-9A-Za-z.-]{1,253}/)?[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?",
    kubernetes_values.LABEL_VALUE: r"([0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?)?",
    kubernetes_values.TAINT: r"([0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?)?:[0-9A-Za-z]{1,253}",
    kubernetes_values.CLUSTER_NAME: r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
    kubernetes_values.QUANTITY: r"[+-]?[0-9.]+(e?[0-9]*|[EPTGMK]i?|[numk])",
    kubernetes_values.DURATION: rf"({_NUMBER}h)?({_NUMBER}m)?({_NUMBER}s)?({_NUMBER}ms)?",
    kubernetes_values.BOOTSTRAP_TOKEN: r"[a-z0-9]{6}\.[a-z0-9]{16}",
    kubernetes_values.CPU_SET: r"([0-9]+(-[0-9]+)?,?)*([0-9]+(-[0-9]+)?)+",
}


@pytest.mark.parametrize("kind", _MODEL, ids=lambda kind: kind.expects[:24])
def test_nothing_is_accepted_that_bottlerocket_refuses(kind: Scalar) -> None:
    model = re.compile(_MODEL[kind], re.ASCII)
    near = st.text("aA0.-_/:eKiMGm ,\n", max_size=12)

    @given(st.one_of(TEXT, near, st.from_regex(_MODEL[kind], fullmatch=True)))
    def compare(text: str) -> None:
        if kind.accepts(text):
            assert model.fullmatch(text)

    compare()


@given(NAME, st.sampled_from(kubernetes_values.EFFECTS))
def test_names_make_labels_and_taints(name: str, effect: str) -> None:
    assert kubernetes_values.LABEL_VALUE.accepts(name)
    assert kubernetes_values.LABEL_KEY.accepts(name)
    assert kubernetes_values.TAINT.accepts(f"{name}:{effect}")
    assert not kubernetes_values.LABEL_VALUE.accepts(f"{name}\n")
    assert not kubernetes_values.LABEL_VALUE.accepts(f".{name}")


@given(st.integers(0, 10**12), st.sampled_from(SUFFIXES))
def test_the_quantities_of_kubernetes_are_accepted(number: int, suffix: str) -> None:
    assert kubernetes_values.QUANTITY.accepts(f"{number}{suffix}")
    assert kubernetes_values.QUANTITY.accepts(f"{number}.5{suffix}")
    # The model takes it, and the kubelet then does not start.
    assert not kubernetes_values.QUANTITY.accepts(f"{number}K")


@given(
    st.dictionaries(
        st.sampled_from(["authorizedKeys", "ciphers", "macs"]),
        st.lists(TEXT, min_size=1, max_size=2),
    )
)
def test_the_admin_containers_json_reads_back(parts: dict[str, list[str]]) -> None:
    content = admin_container.user_data({**parts, "instanceConnect": True}, None)
    assert content is not None
    text = admin_container.encode(content)
    problems = list(admin_container.encoded_problems(text, ("here",)))
    lines = [one for several in parts.values() for one in several]
    assert bool(problems) == any(not LINE.accepts(one) for one in lines)


def _documents(kind: Kind) -> st.SearchStrategy[object]:
    """Return documents that are often of a kind's shape, and often not."""
    match kind:
        case Struct():
            fields = {name: _documents(inner) for name, inner in kind.fields.items()}
            shape: st.SearchStrategy[object] = st.fixed_dictionaries({}, optional=fields)
        case MapOf():
            shape = st.dictionaries(
                st.sampled_from(["os", "a.b/c", "memory.available", "cpu"]),
                _documents(kind.value),
                max_size=2,
            )
        case ListOf():
            shape = st.lists(_documents(kind.item), max_size=2)
        case OneOf():
            shape = st.one_of([_documents(one) for one in kind.kinds])
        case _:
            shape = st.sampled_from(_WORDS)
    return st.one_of(shape, shape, shape, st.sampled_from(_WORDS))


_WORDS = [
    "os",
    "1",
    "50Mi",
    "30s",
    "demo",
    "",
    "a:NoSchedule",
    True,
    1,
    -1,
    2.5,
    None,
    [],
    {},
    "QUJD",
    "once",
]


# With what a description passes on as settings, which its own schema does not check.
_WHOLE = Struct(
    {
        **DESCRIPTION.fields,
        "kubelet": KUBERNETES,
        "labels": KUBERNETES.fields["node-labels"],
        "settings": SETTINGS,
    }
)


@given(_documents(_WHOLE))
def test_any_description_is_a_node_group_or_has_errors_and_no_traceback(document: object) -> None:
    text = yaml.safe_dump(document)
    if not description_errors(text):
        assert load.parse(text, "a").group.name


@given(_documents(SETTINGS))
def test_any_settings_are_right_or_have_errors_and_no_traceback(settings: object) -> None:
    problems = settings_rules.problems({"settings": settings}, kubelet_sets_labels=True)
    assert all(problem.sentence for problem in problems)
    if not problems:
        assert isinstance(settings, dict)
        assert all(problem.sentence for problem in settings_rules.warnings(settings))
