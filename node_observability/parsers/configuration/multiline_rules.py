"""Reads the rules of multiline parsers of ``Type regex`` (``src/multiline/flb_ml_rule.c``).

The classic format has them as ``Rule "start_state" "/regex/" "next_state"``, YAML as a list ``rules``.
Guarantees an error with file and line for a rule that lacks a part. Whether the states and patterns fit is
checked elsewhere.
"""

from dataclasses import dataclass

from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import Group, Property, Section

__all__ = ["Rule", "read_rules", "split_rule"]

_PARTS = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``next_state`` is None if it has none."""

    place: Place
    state: str
    regex: str
    next_state: str | None

    @property
    def states(self) -> list[str]:
        """The states, which are separated by commas, in which the rule applies."""
        return [state for state in map(str.strip, self.state.split(",")) if state]


def read_rules(section: Section) -> list[Rule]:
    """Return the rules of a multiline parser in the order in which Fluent Bit reads them.

    Raises:
        UsageError: a rule lacks a part.
    """
    rules = [_from_group(group) for group in section.groups]
    return rules + [_from_line(item) for item in section.find_all("rule")]


def _from_group(group: Group) -> Rule:
    parts = []
    for key in ("state", "regex", "next_state"):
        found = group.find(key)
        if found is None:
            raise group.place.error(f"this rule has no {key}, so Fluent Bit does not start; add it")
        parts.append(found.value)
    return Rule(group.place, *parts)


def _from_line(item: Property) -> Rule:
    match split_rule(item.value):
        case [state, regex]:
            return Rule(item.place, state, regex, None)
        case [state, regex, next_state]:
            return Rule(item.place, state, regex, next_state)
    text = f"Rule {item.value} lacks its regex, so Fluent Bit does not start"
    raise item.place.error(f'{text}; write it like "start_state" "/regex/" "next_state"')


def split_rule(text: str) -> list[str]:
    """Return up to three parts, in double quotes or without, as ``flb_slist_split_tokens`` does."""
    parts: list[str] = []
    rest = text.strip(" ")
    while rest and len(parts) < _PARTS:
        if rest.startswith('"'):
            end = rest.find('"', 1)
            while end > 0 and rest[end - 1] == "\\":
                end = rest.find('"', end + 1)
            if end < 0:
                # Without a closing quote, the rest is one part, as it is.
                return [*parts, rest[1:]]
            parts.append(rest[1:end].replace('\\"', '"'))
            rest = rest[end + 1 :].lstrip(" ")
        else:
            part, _, rest = rest.partition(" ")
            parts.append(part)
            rest = rest.lstrip(" ")
    return parts
