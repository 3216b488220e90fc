"""The report before a training on the Data page: what was found, what mends it, what was changed.

The server looks through a set (`cnn.data.background`) and keeps the report; this shows it, and does
what is asked at the click. Test images stay sealed here too: their names are shown, and they
themselves only when a person asks.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from cnn.data import background
from cnn.data.catalogue import DatasetInfo
from cnn.data.changes import edit_sentence
from cnn.data.edits import apply_edit, edits, undo_edit
from cnn.data.facts import NOTE, PROBLEM, WARNING, Finding
from cnn.data.preflight import Preflight
from cnn.data.reports import kept_report
from cnn.errors import CnnError, Damaged, NotFound
from pages.shared.acting import act, show_problem
from pages.shared.chosen_image import CHECK, SECTION
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import amount, count, duration, plain
from pages.shared.health_pictures import Shelf, open_shelf, show_sets
from pages.shared.import_look import show_skipped
from pages.shared.job_view import SECONDS_BETWEEN_LOOKS, draw_job
from pages.shared.layout import DATA
from pages.shared.mending_form import draw_mending

_SIGNS = {PROBLEM: (":material/error:", "red"), WARNING: (":material/warning:", "orange"),
          NOTE: (":material/info:", "blue")}
_LOOKS_FOR = ("Looks for equal and nearly equal pictures, above all between training and test, for "
              "blank and tiny ones, mixed sizes, and classes with too few.")


def draw_health(info: DatasetInfo) -> None:
    """Draw what may be wrong with a data set that is ready, and what mends it.

    Args:
        info: Of a set that is stored. One that is no import is only looked at.
    """
    st.header("Fit to train on?")
    show_problem()
    with errors_shown():
        report, state = kept_report(info.name), background.look_check(info.name)
        if report is None and state is not None and state.state == "done":
            report = state.result  # where nothing can be written
        if report is not None:
            _draw_report(info, report)
        elif state is not None and state.lives:
            _watch(info.name)
        elif state is None and info.kind == "imported":
            background.start_check(info.name)
            _watch(info.name)
        else:
            if state is not None and state.error:
                show_error(state.error)
            _offer(info.name)
        if info.kind == "imported":
            _draw_changes(info.name)


def say_health(info: DatasetInfo) -> None:
    """Say in a line, beside what will be trained on, whether something was found in an import."""
    if info.kind != "imported":
        return
    report = kept_report(info.name)
    if report is None:
        return
    bad = {level: number for level, number in report.amounts().items()
           if number and level != NOTE}
    if bad:
        level = next(iter(bad))
        sign, colour = _SIGNS[level]
        found = " and ".join(amount(number, kind) for kind, number in bad.items())
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":{colour}[{sign} {found} found in these pictures.]", width="content")
            st.page_link(DATA, label="Look at them", icon=":material/health_and_safety:",
                         query_params={SECTION: CHECK})


def _offer(name: str) -> None:
    st.caption(_LOOKS_FOR)
    if st.button("Check the pictures", icon=":material/health_and_safety:", key="health_check"):
        act(background.start_check, name)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _watch(name: str) -> None:
    """Show a check that is under way; when it ends, draw the whole page anew."""
    try:
        state = background.look_check(name)
    except (NotFound, Damaged):  # removed meanwhile
        state = None
    if state and state.lives:
        draw_job(state, partial(background.cancel_check, name), "health_cancel")
        st.caption(f"{_LOOKS_FOR} The server does this: you can leave this page.")
    else:
        st.rerun()


@st.fragment
def _draw_report(info: DatasetInfo, report: Preflight) -> None:
    train, test = (sum(part) for part in zip(*report.classes.values(), strict=True))
    st.caption(f"{count(train)} training and {count(test)} test images were compared in "
               f"{duration(report.seconds)}."
               + ("" if report.complete else " There are so many near copies that not all were "
                                             "looked for."))
    if not report.findings:
        st.success("Nothing was found that stands in the way of a training.",
                   icon=":material/check_circle:")
    else:
        st.markdown(_summary(report))
    with errors_shown():
        shelf = open_shelf(info)
        for finding in report.findings:
            with st.container(border=True):
                _draw_finding(report, finding, shelf)
        if shelf.changeable:
            draw_mending(shelf)


def _summary(report: Preflight) -> str:
    badges = []
    for level, number in report.amounts().items():
        sign, colour = _SIGNS[level]
        if number:
            badges.append(f":{colour}-badge[{sign} {amount(number, level)}]")
    return " ".join(badges)


def _draw_finding(report: Preflight, finding: Finding, shelf: Shelf) -> None:
    sign, colour = _SIGNS[finding.level]
    st.markdown(f":{colour}[{sign}] **{plain(finding.message)}**  \n{plain(finding.hint)}")
    with st.container(horizontal=True):
        for fix in finding.fixes:
            if st.button(plain(fix.words), key=f"health_fix_{finding.kind}_{fix.name}",
                         icon=":material/healing:"):
                act(apply_edit, report.name, fix.edit)
    if finding.sets:
        number = len({item for items in finding.sets for item in items})
        body = st.expander(f"Show {'them' if number > 1 else 'it'} ({count(number)})",
                           on_change="rerun", key=f"health_open_{finding.kind}", type="compact",
                           icon=":material/photo_library:")
        if body.open:
            with body:
                show_sets(shelf, finding.sets, finding.kind)
    if finding.kind == "skipped":
        body = st.expander("Show the files", on_change="rerun", key="health_open_skipped",
                           type="compact", icon=":material/list:")
        if body.open:
            with body:
                show_skipped(report.skipped, "health_skipped")


def _draw_changes(name: str) -> None:
    """Show what was changed since the import, each with the button that takes it back."""
    try:
        made = edits(name)
    except CnnError:  # said above
        return
    if not made:
        return
    st.subheader("Changes since the import")
    st.caption("No picture was deleted: each change can be taken back.")
    for number, edit in reversed(list(enumerate(made, 1))):
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Undo", icon=":material/undo:", key=f"health_undo_{number}",
                         help=f"Take back change {number}"):
                act(undo_edit, name, number)
            st.markdown(f"{number}. {plain(edit_sentence(edit))}", width="content")
