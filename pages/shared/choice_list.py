"""A list of pairs with a bar each, of which one can be chosen: drawn by a small script in the page.

Streamlit's table for it took the browser a quarter of a second, to load what draws tables. Knows
nothing of what the words mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared.scripted import scripted

_component = scripted("choice_list")
Line = tuple[str, str, str, float]  # first and second word, number as text, length of the bar, 0..1


def show_choice_list(
    key: str, heads: tuple[str, str, str], lines: Sequence[Line], chosen: int | None, height: int,
    label: str, on_choose: Callable[[int], None],
) -> None:
    """Show lines to choose from, by click or arrow keys.

    Args:
        key: Of the element.
        heads: What first word, second word and number are.
        lines: In the order in which they are shown.
        chosen: Which one is chosen; None for none.
        height: In pixels, at most; longer lists are scrolled.
        label: What it is, for those who hear the page.
        on_choose: Called with the place of a line when a person chooses it.
    """
    def take() -> None:
        place = st.session_state[key].get("chosen")
        if isinstance(place, int) and 0 <= place < len(lines):
            on_choose(place)

    _component(key=key, on_chosen_change=take, data={
        "heads": heads, "lines": lines, "chosen": -1 if chosen is None else chosen,
        "height": height, "label": label})
