"""What the lesson's sentences say of the network in use: its name, sizes and counts, read off it."""

from __future__ import annotations

from tl_ui.frame.text import number, t
from tl_ui.lesson.parts.network import network_parts
from tl_ui.stores import shared_network
from tl_ui.widgets.html.network_strip import COUNTED, network_name


def network_values() -> dict[str, str]:
    """The values of the placeholders in the sentences of ideas about the network.

    network: its name. old: outputs of its old head; old_two: with two more. old_kind: what these classes
    are. features: numbers that the head reads. first, last: channels after the stem and the last group.
    blocks, groups: how many; parts: with stem, last convolution and head. small: side of the last map.
    """
    choice = shared_network.weights().choice
    known = network_parts.parts(choice.sha256, choice)
    counted = [part for part in known.values() if part.unit in COUNTED]
    head = known["classifier"]
    old = choice.num_classes or shared_network.OLD_CLASSES
    last = list(known.values())[-2].shape_out
    return {
        "network": network_name(choice.backbone),
        "old": number(old),
        "old_two": number(old + 2),
        "old_kind": t(f"lesson_head_swap.kind_{'drawings' if choice.source == 'formula' else 'photographs'}"),
        "features": number(head.shape_in[0]),
        "first": number(known["stem"].shape_out[0]),
        "last": number(counted[-1].shape_out[0]),
        "blocks": number(sum(len(part.layers) for part in counted)),
        "groups": number(len(counted)),
        "parts": number(len(known)),
        "px": number(network_parts.IMAGE_PX),
        "small": number(last[-1]),
    }
