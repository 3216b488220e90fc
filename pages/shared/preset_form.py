"""The Train page's question "How long": a preset in, one `RunConfig` out. Starts no run.

The first time that images of a size are trained on, this computer is measured in the background;
meanwhile the page looks every second and nobody waits.
"""

from __future__ import annotations

import streamlit as st

from cnn.config import RunConfig
from cnn.data.catalogue import DatasetInfo
from cnn.files import suggest_name
from cnn.models.presets import PRESETS, Plan, Preset, plan
from cnn.models.speeds import Speeds
from cnn.prediction.saved import free_name
from cnn.runs.measuring import Subject, background, known_speeds
from pages.shared.errors import show_error
from pages.shared.formats import amount, count, plain, rough_span
from pages.shared.job_view import wait_for
from pages.shared.train_form import choose_name, start_from

OWN = "own"
_NAMES = {**{name: preset.title for name, preset in PRESETS.items()}, OWN: "My own settings"}
_LAST_PLAN = "train_plan"  # what the preset that is shown means: "My own settings" start from it


def choose_length() -> str:
    """Show how long a person may want to wait; return the name of a preset, or `OWN`."""
    return st.segmented_control(
        "How long", list(_NAMES), default=OWN, required=True, format_func=_NAMES.get,
        wrap=True,  # otherwise its last options are cut off in this column
        key="train_length", persist_state="session", on_change=_own_settings_start_from_the_plan,
        help="From the start to the saved model, on this computer. What fits into this time is "
             "chosen for you.")


def _own_settings_start_from_the_plan() -> None:
    planned = st.session_state.get(_LAST_PLAN)
    if st.session_state["train_length"] == OWN and planned is not None:
        start_from(planned)


def choose_preset(info: DatasetInfo, length: str) -> RunConfig | None:
    """Show what a preset means for a data set; return it when this computer has been measured.

    Raises:
        BadInput: If the name cannot be used.
    """
    assert info.image_shape is not None  # noqa: S101  the data set is ready
    subject: Subject = (info.image_shape, len(info.classes), "")
    st.session_state.pop(_LAST_PLAN, None)
    speeds = None if background.running(subject) else known_speeds(*subject)
    if speeds is None:
        _measure(subject)
        return None
    planned = plan(PRESETS[length], speeds, info.name, info.train_count, info.test_count, "model")
    proposal = free_name(suggest_name(f"{info.name}-{planned.config.architecture}"))
    config = planned.config.with_name(choose_name(proposal))
    st.session_state[_LAST_PLAN] = config
    _show_plan(PRESETS[length], planned)
    _show_speeds(speeds, subject)
    return config


def _measure(subject: Subject) -> None:
    """Start to measure unless that has just failed, and show that it is being done."""
    failure = background.failure(subject)
    if failure is not None and not background.running(subject):
        show_error(failure)
        _offer_to_measure(subject)
        return
    background.start(subject)
    wait_for(background, subject, "**Measuring this computer…** Some seconds, once for images of "
             "this size. Then you see what fits into the time.", ":material/timer:")


def _show_plan(preset: Preset, planned: Plan) -> None:
    config, expected = planned.config, planned.expected
    with st.container(border=True):
        st.markdown(f"**{rough_span(expected.low, expected.high)}** from start to saved model")
        st.caption(f"{plain(config.architecture)} · {amount(config.epochs, 'epoch')} · "
                   f"{count(planned.train_n)} images · batches of {config.batch_size}"
                   + (" · bfloat16" if config.precision == "bfloat16" else ""))
        if planned.remark:
            st.caption(f":material/info: {plain(planned.remark)}")


def _show_speeds(speeds: Speeds, subject: Subject) -> None:
    """Say what the expectation rests on, and offer to measure again."""
    if speeds.slower > 1:
        st.warning("Other programs kept this computer busy while it was measured. As long as they "
                   f"go on, it takes **{speeds.slower:.1f} times** as long.",
                   icon=":material/hourglass:")
    _offer_to_measure(subject)


def _offer_to_measure(subject: Subject) -> None:
    st.button("Measure again", icon=":material/speed:", key="train_measure", type="tertiary",
              on_click=background.start, args=(subject,),
              help="Takes some seconds. Best while no other program works hard.")
