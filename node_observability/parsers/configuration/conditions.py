"""Reads the ``condition`` of a processor, which the YAML format has (``src/flb_processor.c``).

Guarantees an error with file and line for what Fluent Bit refuses. Whether patterns are valid is checked
elsewhere.
"""

import yaml

from node_observability.inputs.yaml_nodes import NodeReader
from node_observability.parsers.configuration.sections import Group, Property

__all__ = ["read_condition"]

_JOINS = ("and", "or")
_LIST_OPERATORS = ("in", "not_in")
_OPERATORS = ("eq", "neq", "gt", "lt", "gte", "lte", "regex", "not_regex", *_LIST_OPERATORS)


def read_condition(reader: NodeReader, node: yaml.Node) -> list[Group]:
    """Return the rules of a condition as groups ``rule``; a list of values is left out.

    Raises:
        UsageError: Fluent Bit refuses it.
    """
    entries = {str(key.value): value for key, value in reader.items(node, "condition")}
    if "op" in entries:
        _check_word(reader, entries["op"], "op of a condition", _JOINS)
    rules = reader.sequence(entries["rules"], "rules") if "rules" in entries else []
    if not rules:
        raise reader.place(node).error("this condition has no rules, so Fluent Bit does not start")
    return [_rule(reader, rule) for rule in rules]


def _rule(reader: NodeReader, rule: yaml.Node) -> Group:
    entries = {str(key.value): value for key, value in reader.items(rule, "a rule")}
    for key in ("field", "op", "value"):
        if key not in entries:
            text = f"this rule has no {key}, so Fluent Bit does not start; add it"
            raise reader.place(rule).error(text)
    _check_word(reader, entries["op"], "op of a rule", _OPERATORS)
    operator, value = entries["op"].value.lower(), entries["value"]
    is_list = isinstance(value, yaml.SequenceNode)
    if is_list != (operator in _LIST_OPERATORS):
        wanted = "one value" if is_list else "a list of values"
        raise reader.place(value).error(f"value: the operator {operator} needs {wanted}")
    properties = [
        Property(key, str(entry.value), reader.place(entry))
        for key, entry in entries.items()
        if isinstance(entry, yaml.ScalarNode)
    ]
    return Group("rule", reader.place(rule), properties)


def _check_word(reader: NodeReader, node: yaml.Node, what: str, words: tuple[str, ...]) -> None:
    if str(node.value).lower() not in words:
        raise reader.place(node).error(f"{what}: {node.value} is not one of {', '.join(words)}")
