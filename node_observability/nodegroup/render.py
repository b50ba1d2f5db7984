"""From descriptions to a target's file, or every reason why that target can't carry them. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from node_observability.nodegroup import assembly
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.formats import templates, toml_reader
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.rules.targets import TARGETS, effects
from node_observability.nodegroup.schema.problem import Problem, dotted
from node_observability.nodegroup.targets import cloudformation, eksctl, karpenter, user_data

Groups = list[tuple[NodeGroup, assembly.Settings]]


@dataclass(frozen=True, slots=True)
class Target:
    """A way of creating nodes. ``placed``: the settings that travel as such; ``joins``: several groups fit
    into one file.
    """

    render: Callable[[Groups], str]
    losses: Callable[[NodeGroup], Iterator[Problem]]
    placed: Callable[[NodeGroup, assembly.Settings], assembly.Settings]
    joins: bool = False


_TARGETS: Final[Mapping[str, Target]] = {
    "user-data": Target(user_data.render, user_data.losses, user_data.placed),
    "eksctl": Target(eksctl.render, eksctl.losses, lambda _, tree: eksctl.placed(tree), joins=True),
    "eksctl-managed": Target(
        eksctl.render_managed,
        eksctl.losses_managed,
        lambda _, tree: eksctl.placed(tree),
        joins=True,
    ),
    "cloudformation": Target(cloudformation.render, cloudformation.losses, cloudformation.placed),
    "karpenter": Target(karpenter.render, karpenter.losses, lambda _, tree: karpenter.placed(tree)),
}
assert tuple(_TARGETS) == TARGETS  # noqa: S101 - the rules and the renderers are one list


def losses(target: str, group: NodeGroup, tree: Mapping[str, Any]) -> list[Problem]:
    """Return everything of a description that would not reach a node by this target."""
    chosen = _TARGETS[target]
    found = list(chosen.losses(group))
    placed = chosen.placed(group, dict(tree))
    found += [
        Problem(("kubelet", effect.path[-1]), f"{target}: {effect.text}")
        for effect in effects(target, placed)
        if effect.loses and effect.path[-1] in tree.get("kubernetes", {})
    ]
    found += [
        Problem(effect.path, f"{target}: {effect.text}")
        for effect in effects(target, placed)
        if effect.loses and effect.path[1] != "kubernetes"
    ]
    found += [Problem((), f"{target}: {text}") for text in _unmergeable(target, placed)]
    return found


def _unmergeable(target: str, placed: assembly.Settings) -> Iterator[str]:
    """Yield what EKS could not merge into its own user data."""
    if target == "cloudformation":
        for _, text in cloudformation.form_problems(toml_reader.read(templates.user_data(placed))):
            yield text
    elif target == "eksctl-managed":
        for path, text in cloudformation.tree_problems(placed):
            yield f"{dotted(path)}: {text}"
        # eksctl writes the TOML itself, and always escapes.
        for text in _strings(placed):
            if '"' in text:
                yield "EKS can't merge a value with a double quote, which eksctl escapes"


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def joins(target: str) -> bool:
    """Whether a file of this target holds several node groups."""
    return _TARGETS[target].joins


def losses_by_secrets(target: str, group: NodeGroup, tree: assembly.Settings) -> list[Problem]:
    """Return what only shows once the secrets are in the settings; ``losses`` has told the rest.

    No secret is shown.
    """
    placed = _TARGETS[target].placed(group, tree)
    found = [
        Problem(("registries",), f"{text}: a credential has quotes")
        for text in _unmergeable(target, placed)
    ]
    size = user_data_bytes(target, group, tree)
    if size > LIMIT_BYTES:
        text = f"make the user data {size} bytes, more than EC2 takes ({LIMIT_BYTES})"
        found.append(Problem(("registries",), f"{target}: the credentials {text}"))
    return found


def render(target: str, groups: Groups) -> str:
    """Return a target's file."""
    return _TARGETS[target].render(groups)


def user_data_bytes(target: str, group: NodeGroup, tree: assembly.Settings) -> int:
    """Return how large the user data is that this target's file carries, in bytes."""
    placed = _TARGETS[target].placed(group, tree)
    if target == "user-data":
        return len(user_data.render([(group, tree)]).encode())
    return len(templates.user_data(placed).encode()) if placed else 0
