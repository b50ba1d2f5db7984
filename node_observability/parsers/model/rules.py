"""Checks the rules of multiline parsers of ``Type regex``, with which Fluent Bit may not start."""

from node_observability.errors import UsageError
from node_observability.hints import close_to
from node_observability.parsers.configuration.multiline_rules import read_rules
from node_observability.parsers.configuration.sections import Section
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError

__all__ = ["check_rules"]

_START = "start_state"


def check_rules(section: Section, name: str) -> None:
    """Check the rules of the multiline parser ``name``.

    Raises:
        UsageError: Fluent Bit refuses rules; the error names each of them.
    """
    problems: list[str] = []
    rules = read_rules(section)
    known = sorted({state for rule in rules for state in rule.states})

    def report(text: str) -> None:
        problems.extend(rule.place.error(f"multiline parser {name}: {text}").problems)

    for number, rule in enumerate(rules):
        if not rule.states:
            report("this rule has no state; name one")
        elif not number and _START not in rule.states:
            report(f"the first rule has the state {rule.state}; it must have {_START}")
        try:
            Pattern(rule.regex)
        except UnsupportedError:
            pass  # Onigmo accepts it.
        except PatternError as error:
            report(f"the rule has an invalid regex: {error}")
        if rule.next_state is not None and rule.next_state not in known:
            hint = close_to(rule.next_state, known)
            report(f"the next state {rule.next_state} is the state of no rule{hint}")
    if problems:
        raise UsageError(*problems)
