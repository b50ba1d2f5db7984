"""Renders node groups as a target's file, or returns every reason why the target can't carry them. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.formats import templates, toml_reader
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.targets import TARGETS, effects
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.targets import (
    cloudformation,
    common,
    eksctl,
    karpenter,
    user_data,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A way of creating nodes. ``placed`` returns the settings that its file has as such."""

    render: Callable[[Sequence[NodeGroup]], str]
    losses: Callable[[NodeGroup], Iterator[Problem]]
    placed: Callable[[NodeGroup], Settings]
    takes_several_groups: bool = False


_TARGETS: Final[Mapping[str, Target]] = {
    "user-data": Target(
        user_data.render,
        common.forbidden_labels,
        lambda group: group.settings,
    ),
    "eksctl": Target(eksctl.render, eksctl.losses, eksctl.placed, takes_several_groups=True),
    "eksctl-managed": Target(
        eksctl.render_managed,
        eksctl.losses_managed,
        eksctl.placed_managed,
        takes_several_groups=True,
    ),
    "cloudformation": Target(cloudformation.render, cloudformation.losses, cloudformation.placed),
    "karpenter": Target(karpenter.render, karpenter.losses, karpenter.placed),
}
assert tuple(_TARGETS) == TARGETS  # noqa: S101 - the rules and the renderers are one list


def losses(target: str, group: NodeGroup) -> list[Problem]:
    """Return everything of a node group that would not reach a node by this target.

    Each problem names the target; none shows a secret.
    """
    chosen = _TARGETS[target]
    placed = chosen.placed(group)
    found: list[Problem] = [effect for effect in effects(target, placed) if effect.loses]
    if target == "cloudformation" and placed:
        found += cloudformation.merge_problems(toml_reader.read(templates.user_data(placed)))
    elif target == "eksctl-managed":
        found += cloudformation.value_problems(placed, ("settings",))
        found += _double_quotes(placed, ("settings",))
    losses = [*chosen.losses(group), *map(group.assembled.described, found)]
    size_bytes = len(_user_data(target, group).encode())
    if size_bytes > LIMIT_BYTES:
        text = f"user data of {size_bytes} bytes exceeds EC2's limit of {LIMIT_BYTES}"
        losses.append(Problem((), text))
    return [problem.of_target(target) for problem in dict.fromkeys(losses)]


def _double_quotes(value: object, path: Path) -> Iterator[Problem]:
    """Yield the strings that eksctl, which writes the TOML itself, escapes."""
    inner: Mapping[Any, object] = {}
    match value:
        case str() if '"' in value:
            text = "EKS can't merge a value with a double quote, which eksctl escapes; leave it out"
            yield Problem(path, text)
        case Mapping():
            inner = value
        case list():
            inner = dict(enumerate(value))
    for key, item in inner.items():
        yield from _double_quotes(item, (*path, key))


def takes_several_groups(target: str) -> bool:
    """Whether a file of this target can hold several node groups."""
    return _TARGETS[target].takes_several_groups


def render(target: str, groups: Sequence[NodeGroup]) -> str:
    """Return a target's file."""
    return _TARGETS[target].render(groups)


def _user_data(target: str, group: NodeGroup) -> str:
    """Return the user data that a target's file leads to."""
    if target == "user-data":
        return user_data.render([group])
    placed = _TARGETS[target].placed(group)
    return templates.user_data(placed) if placed else ""
