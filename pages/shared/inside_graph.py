"""The graph of a network's layers as Graphviz text: all of it, or of a large one what is near.

Knows layers, and no widgets.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnn.prediction.opened import Layer
from pages.shared.inside_words import shape_text, short

MOST_DRAWN = 120  # layers; more cannot be read
AROUND = 12  # layers before and after the chosen one that are drawn of a larger network
_CHOSEN = "#d6336c"
_INK = {False: ("#1f2430", "#eef2fb"), True: ("#f1f3f8", "#232a3a")}  # text and ground, by theme


def drawn(layers: Sequence[Layer], chosen: str) -> Sequence[Layer]:
    """Return the layers to draw: all, or those around the chosen one where there are too many."""
    if len(layers) <= MOST_DRAWN:
        return layers
    place = next((i for i, layer in enumerate(layers) if layer.name == chosen), 0)
    return layers[max(0, place - AROUND):place + AROUND + 1]


def layers_dot(layers: Sequence[Layer], chosen: str, dark: bool) -> str:
    """Return the graph of some layers, values flowing from top to bottom.

    Args:
        layers: Those to draw; ways from others are left out.
        chosen: Name of the one to mark.
        dark: Whether the page is dark.
    """
    ink, ground = _INK[dark]
    numbers = {layer.name: f"n{place}" for place, layer in enumerate(layers)}
    lines = ["digraph layers {", '  bgcolor="transparent"; nodesep=0.35; ranksep=0.3;',
             f'  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, '
             f'color="#8a8f98", fillcolor="{ground}", fontcolor="{ink}"];',
             '  edge [color="#8a8f98", arrowsize=0.6];']
    for layer in layers:
        text = "\\n".join(map(_escaped, (short(layer.name), layer.label,
                                         shape_text(layer.output_shape))))
        mark = f', color="{_CHOSEN}", penwidth=3' if layer.name == chosen else ""
        lines.append(f'  {numbers[layer.name]} [label="{text}"{mark}];')
        lines += [f"  {numbers[source]} -> {numbers[layer.name]};" for source in layer.sources
                  if source in numbers]
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
