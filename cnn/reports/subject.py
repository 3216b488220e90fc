"""Everything that is known of one training, gathered for a report: a saved model or a run.

Reads folders; knows no markup. What is not known stays empty, with the reason where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cnn.errors import BadInput, CnnError, NotFound
from cnn.evaluation.novelty import FILE_NAME as NOVELTY
from cnn.evaluation.results import Evaluation, read_evaluation
from cnn.models.defaults import command_line
from cnn.prediction.saved import Card, model_folder, read_card
from cnn.runs.contenders import Contender, epochs_of, list_contenders
from cnn.runs.manager import get_run, list_runs

MOST = 6  # trainings in one report: more lines are not told apart in one chart


@dataclass(frozen=True)
class Subject:
    """One training."""

    facts: Contender
    epochs: list[dict[str, Any]]  # records, oldest first
    command: str
    card: Card | None = None  # of a saved model
    evaluation: Evaluation | None = None
    why_untested: str = ""  # why there is no evaluation
    novelty: bool = False  # whether it can say "probably none of these"
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the model, or the id of the run."""
        return self.facts.name


def subjects(names: Sequence[str]) -> list[Subject]:
    """Return what is known of these trainings, each once, in this order.

    Args:
        names: Of saved models, or ids of runs; a run that has a saved model stands for it.

    Raises:
        NotFound: If there is no such model or run.
        Damaged: If it cannot be read.
        BadInput: If there are none or too many, they are of different data sets, or a run has
            finished no epoch.
    """
    known = {one.name: one for one in list_contenders()}
    chosen = list({one.name: one for one in (_find(name, known) for name in names)}.values())
    if not 1 <= len(chosen) <= MOST:
        raise BadInput(f"A report is of 1 to {MOST} models or runs. Received: {len(chosen)}.",
                       "Choose fewer." if chosen else "Choose one.")
    sets = sorted({one.dataset for one in chosen})
    if len(sets) > 1:
        raise BadInput(f"Trainings of different data sets cannot be compared: {', '.join(sets)}.",
                       "Choose those of one data set, or make a report of each.")
    return [_of_model(one) if one.is_model else _of_run(one) for one in chosen]


def _find(name: str, known: dict[str, Contender]) -> Contender:
    if name in known:
        return known[name]
    runs = {run.run_id: run for run in list_runs()}
    if name not in runs:
        try:
            read_card(name)  # says what is damaged
        except NotFound as error:
            raise NotFound(f"There is neither a saved model nor a run {name!r}.",
                           "See: python -m cnn models, python -m cnn runs") from error
    run = runs[name]
    if run.status.model in known:
        return known[run.status.model]
    if run.error:
        raise run.error
    raise BadInput(f"The run {name} has finished no epoch yet: there is nothing to report.",
                   "Wait for its first epoch.")


def _of_model(one: Contender) -> Subject:
    card, evaluation, reason = read_card(one.name), None, ""
    try:
        evaluation = read_evaluation(model_folder(one.name))
    except CnnError as error:
        reason = str(error)
    return Subject(one, epochs_of(one), card.command, card, evaluation, reason,
                   (model_folder(one.name) / NOVELTY).is_file(), card.versions)


def _of_run(one: Contender) -> Subject:
    run = get_run(one.name)
    command = command_line(run.config) if run.config else ""
    return Subject(one, epochs_of(one), command, why_untested=(
        f"This run has no saved model (it is {run.status.state}): what is shown comes from its "
        "training and validation."))
