"""Where pictures to import come from: a zip, a path on this computer, or files given by class.

Gathers files and hands over what an import reads; what is in it is found out by `import_look`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from cnn.data.folders import whole_path
from cnn.data.images import MAX_BYTES
from cnn.data.importing import Source, source_of
from cnn.data.layout import MAX_CLASS_NAME, shown
from cnn.data.progress import bytes_in_words
from cnn.data.staging import Given, Staging, source_of_given
from pages.shared.formats import amount, plain
from pages.shared.picture_sources import FILE_TYPES
from pages.shared.uploads import take_uploads

LARGEST_ZIP = 400  # MB; larger ones are given by their path
MOST_CLASSES = 100  # given by hand
ZIP, PATH, CLASSES = "zip", "path", "classes"
WAYS = {ZIP: ":material/folder_zip: A zip", PATH: ":material/folder: A path on this computer",
        CLASSES: ":material/photo_library: Files, class by class"}
_ZIP, _GIVEN = "import_zip_kept", "import_given"


@dataclass(frozen=True)
class Chosen:
    """What a person wants to import."""

    token: tuple[Any, ...]  # another one for other files
    title: str  # what a name can be made of
    open: Callable[[], Source]  # anew for every reading
    clear: Callable[[], None]  # once it is imported: deletes copies of ours, never a person's files


def choose_source() -> Chosen | None:
    """Show the ways to give pictures; return what was given, None while there is nothing.

    Raises:
        BadInput: If a path cannot be understood.
        Unavailable: If an upload does not fit on the disk.
    """
    way = st.segmented_control("Where your pictures are", list(WAYS), default=ZIP, required=True,
                               format_func=lambda way: WAYS[way], key="import_way")
    return {ZIP: _choose_zip, PATH: _choose_path, CLASSES: _choose_files}[way]()


def forget_source() -> None:
    """Begin anew: what was given before is no longer offered."""
    for key in (_ZIP, _GIVEN, "import_path"):
        st.session_state.pop(key, None)


def _choose_zip() -> Chosen | None:
    if _ZIP not in st.session_state:
        stage = Staging()
        files = take_uploads("A zip of class folders, perhaps with a table", ["zip"], stage,
                             "import_zip", several=False, largest=LARGEST_ZIP)
        if not files:
            st.caption("One folder per class, named after it: *cats/1.jpg, dogs/2.jpg*. Folders "
                       "named train, val and test may lie around them, or a table (CSV) of file "
                       "and label beside them.")
            return None
        st.session_state[_ZIP] = (stage, *files[0])
    stage, name, path, size = st.session_state[_ZIP]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/folder_zip: **{plain(shown(name))}**, {bytes_in_words(size)}",
                    width="content")
        if st.button("Another zip", icon=":material/close:", key="import_zip_again"):
            stage.clear()
            forget_source()
            st.rerun()
    return Chosen((ZIP, str(path)), Path(name).stem, partial(_zip_source, path, name), stage.clear)


def _zip_source(path: Path, name: str) -> Source:
    return replace(source_of(path), name=shown(name))


def _choose_path() -> Chosen | None:
    path = st.text_input(
        "Path of a folder, a zip or a table (CSV) on the computer of the server",
        key="import_path", placeholder="/home/me/pictures").strip()
    st.caption("A folder of class folders, or of train and test folders that hold them; or a table "
               "of file and label beside the pictures. Nothing in it is changed.")
    if not path:
        return None
    source = whole_path(path)
    return Chosen((PATH, str(source)), source.stem, partial(source_of, source), lambda: None)


@dataclass
class _Pile:
    """What a visitor has given so far."""

    stage: Staging
    classes: list[str]
    given: list[Given]
    version: int = 0  # changes with every file


def _choose_files() -> Chosen | None:
    pile: _Pile = st.session_state.setdefault(_GIVEN, _Pile(Staging(), [], []))
    _ask_for_classes(pile)
    with st.grid("auto", min_column_width=300, gap="small"):
        for number, name in enumerate(pile.classes):
            with st.container(border=True):
                _draw_class(pile, number, name)
    counts = Counter(one.class_name for one in pile.given)
    if sum(counts[name] > 1 for name in pile.classes) < 2:
        st.caption("At least two classes with two pictures each are needed; some dozens of each "
                   "are a good start.")
        return None
    given = list(pile.given)
    return Chosen((CLASSES, id(pile), pile.version), "my-pictures", lambda: source_of_given(given),
                  pile.stage.clear)


def _ask_for_classes(pile: _Pile) -> None:
    with st.form("import_classes", border=False, clear_on_submit=True):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        text = row.text_input("Names of classes, with commas between them",
                              placeholder="cats, dogs", key="import_class_names")
        if row.form_submit_button("Add", icon=":material/add:"):
            names = (" ".join(shown(name).split())[:MAX_CLASS_NAME] for name in text.split(","))
            new = [name for name in dict.fromkeys(names) if name and name not in pile.classes]
            pile.classes += new[:MOST_CLASSES - len(pile.classes)]


def _draw_class(pile: _Pile, number: int, name: str) -> None:
    heading = st.container(horizontal=True, vertical_alignment="center",
                           horizontal_alignment="distribute")
    for file, path, _ in take_uploads("Pictures", FILE_TYPES, pile.stage, f"import_class_{number}",
                                      several=True, largest=MAX_BYTES // 2**20):
        pile.given.append(Given(name, file, path))
        pile.version += 1
    count = sum(one.class_name == name for one in pile.given)
    heading.markdown(f"**{plain(name)}**: {amount(count, 'picture')}", width="content")
    if heading.button("Remove", icon=":material/close:", type="tertiary", help=f"Remove {name}",
                      key=f"import_class_remove_{number}"):
        pile.classes.remove(name)
        pile.given = [one for one in pile.given if one.class_name != name]
        pile.version += 1
        st.rerun()
