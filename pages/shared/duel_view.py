"""Two models on the same test images: who is better, whether that is more than chance, and where.

Opens from stored test results; the pictures appear where the data set is on this computer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnn.errors import BadInput
from cnn.evaluation.comparison import Duel, duel, right_answers
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card, read_card
from cnn.runs.contenders import Contender
from pages.shared import cached
from pages.shared.formats import amount, count, percent, plain
from pages.shared.image_grid import THUMBNAIL, data_of
from pages.shared.pictures import enlarged

PER_PAGE = 18


def show_duel(tested: Sequence[Contender]) -> None:
    """Show two of the chosen models against each other; the first two, unless others are chosen.

    Raises:
        NotFound, Damaged: If the stored test results of one cannot be read.
    """
    names = [one.name for one in tested]
    left, right = st.columns(2)
    first = left.selectbox("This model", names, key="duel_first")
    second = right.selectbox("against", [name for name in names if name != first],
                             key="duel_second")
    cards = read_card(first), read_card(second)
    one, other = (cached.evaluation(name, cached.model_stamp(name)) for name in (first, second))
    if cards[0].dataset_fingerprint != cards[1].dataset_fingerprint:
        st.info("They were tested on different versions of the data set, so their answers cannot "
                "be held against each other image by image.", icon=":material/difference:")
        return
    try:
        result = duel(one, other)
    except BadInput as error:
        st.info(f"{plain(error.message)} {plain(error.hint)}", icon=":material/difference:")
        return
    st.markdown(verdict(first, second, result))
    with st.grid(4, min_column_width=150):
        for label, value in (
                ("Both right", result.both), (f"Only {plain(first)}", result.only_first),
                (f"Only {plain(second)}", result.only_second), ("Neither", result.neither)):
            st.metric(label, count(value), border=True, height="stretch")
    _show_disagreement(cards[0], first, second, one, other)


def verdict(first: str, second: str, result: Duel) -> str:
    """Return as Markdown what the test says, in plain words."""
    differ = result.only_first + result.only_second
    if not differ:
        return "**Not distinguishable**: both are right and wrong on the same images."
    better, worse = (first, second) if result.only_first > result.only_second else (second, first)
    chance = percent(result.p_value) if result.p_value >= 0.001 else "under 0.1 %"
    test = (f"Only one of the two is right on {amount(differ, 'image')}: {plain(first)} on "
            f"{count(result.only_first)}, {plain(second)} on {count(result.only_second)}. Were "
            f"both equally good, a difference as large would come by chance in {chance} of such "
            "tests (exact McNemar test).")
    if result.distinguishable:
        return f"**{plain(better)} is better than {plain(worse)}.** {test}"
    return f"**Not distinguishable** on these images. {test}"


def _show_disagreement(
    card: Card, first: str, second: str, one: Evaluation, other: Evaluation
) -> None:
    st.subheader("Images that only one gets right", anchor=False)
    who = st.segmented_control("Right", [first, second], default=first, required=True,
                               key=f"duel_right_{first}_{second}")
    right_first, right_second = right_answers(one, other)
    rows = np.flatnonzero(right_first & ~right_second if who == first
                          else right_second & ~right_first)
    loser = other if who == first else one
    if not len(rows):
        st.caption("There is none.")
        return
    data = data_of(card, one)
    if data is None:
        return
    key = f"duel_page_{first}_{second}_{who}"
    page = min(st.session_state.get(key, 1), -(-len(rows) // PER_PAGE))
    with st.grid("auto", min_column_width=THUMBNAIL + 20, gap="small"):
        for row in rows[(page - 1) * PER_PAGE:page * PER_PAGE].tolist():
            truth, wrong = (one.class_names[label] for label in (
                one.labels[row], loser.predicted[row]))
            st.image(enlarged(data.test_images[row], THUMBNAIL), output_format="PNG",
                     width=THUMBNAIL, caption=f"{plain(truth)}, not {plain(wrong)}",
                     alt=f"Test image {row}: {truth}; the other model says {wrong}")
    if len(rows) > PER_PAGE:
        st.pagination(-(-len(rows) // PER_PAGE), key=key, max_visible_pages=5)
