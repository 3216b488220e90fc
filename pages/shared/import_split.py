"""Choosing which pictures of an import become the test images, with what each way would make.

Shows; how pictures are divided is `cnn.data.dividing`'s business.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.dividing import WAYS, SplitPlan
from cnn.data.looking import Look, Tried, try_plan
from cnn.errors import CnnError
from pages.shared.errors import show_error
from pages.shared.formats import amount, count

GROUPS_SHOWN = 200
TITLES = {"ratio": "By ratio", "folders": "As they are divided", "group": "By group"}
_COLUMN = ""  # in the place of a pattern: the table's column
_OWN = "own"
# What tells pictures of one slide, patient or film apart is mostly a part of their names.
_PATTERNS = {r"^([^_-]+)[_-]": "Before the first _ or -", r"^(.+)[_-]": "Before the last _ or -",
             _OWN: "Another pattern"}


def choose_plan(number: str, found: Look) -> SplitPlan | None:
    """Show the ways to split and what comes of the chosen one; None if it cannot be done.

    Args:
        number: Another one for another look.
        found: What is known of the pictures.
    """
    _begin(number, found)
    ways = [way for way in WAYS if way != "folders" or found.has_test]
    by = st.segmented_control("How test images are chosen", ways, required=True,
                              format_func=TITLES.get, key="import_by")
    st.caption(f"{WAYS[by]} {_reason(by)}")
    try:
        plan = _draw_options(by, found)
        tried = _try(number, plan, found)
    except CnnError as error:
        show_error(error)
        return None
    _show(tried)
    return plan


def _begin(number: str, found: Look) -> None:
    """Begin with what suits these pictures, whatever was chosen for others before.

    Set, not left to a default: a browser keeps what was chosen before.
    """
    if st.session_state.get("import_split_of") != number:
        st.session_state["import_split_of"] = number
        for key in ("import_by", "import_grouping"):
            st.session_state.pop(key, None)
    by = "folders" if found.has_test else "group" if found.has_groups else "ratio"
    st.session_state.setdefault("import_by", by)
    st.session_state.setdefault(
        "import_grouping", _COLUMN if found.has_groups else next(iter(_PATTERNS)))


def _reason(by: str) -> str:
    if by == "group":
        return ("Pictures of one patient, slide or film resemble each other: a network that has "
                "seen some of them finds the others easy.")
    return "The test images are sealed: no network is trained on them, and none is chosen by them."


def _draw_options(by: str, found: Look) -> SplitPlan:
    if by == "folders":
        return SplitPlan(by)
    pattern = _choose_pattern(found) if by == "group" else ""
    left, right = st.columns(2)
    share = left.slider("Share for the test, %", 5, 50, 20, 5, key="import_share")
    seed = right.number_input("Seed", 0, 2**31 - 1, 0, key="import_seed",
                              help="Decides which ones are drawn: the same seed, the same images.")
    return SplitPlan(by, share / 100, seed, pattern)


def _choose_pattern(found: Look) -> str:
    options = [*([_COLUMN] if found.has_groups else []), *_PATTERNS]
    titles = {_COLUMN: "The table's column", **_PATTERNS}
    kind = st.pills("What names the group", options, required=True,
                    format_func=titles.get, key="import_grouping")
    if kind != _OWN:
        return kind
    return st.text_input(
        "Pattern in the file name", value="^(.+)_IMG", key="import_pattern", live=True,
        help="A regular expression. What its first bracket takes is the group; without a bracket, "
             "all that it fits. For A7_IMG_3.png, ^(.+)_IMG takes A7.")


@st.cache_data(max_entries=32, show_spinner=False)
def _try(number: str, plan: SplitPlan, _found: Look) -> Tried:
    return try_plan(_found, plan)


def _show(tried: Tried) -> None:
    whole = max(1, tried.train + tried.test)
    st.markdown(f"About **{count(tried.train)}** to train on and **{count(tried.test)}** for the "
                f"test ({tried.test / whole:.0%}).")
    if not tried.groups:
        return
    alone = f"; {amount(tried.alone, 'picture')} in none, each by itself" if tried.alone else ""
    largest = next(iter(tried.groups.values()))
    st.caption(f"{amount(len(tried.groups), 'group')}, the largest of "
               f"{amount(largest, 'picture')}{alone}.")
    names = list(tried.groups)[:GROUPS_SHOWN]
    st.dataframe({"Group": names, "Pictures": [tried.groups[name] for name in names]},
                 hide_index=True, width="content", height=min(250, 38 * (len(names) + 1)),
                 alt="Groups and their pictures, the largest first")
    if len(tried.groups) > GROUPS_SHOWN:
        st.caption(f"The {GROUPS_SHOWN} largest are shown.")
