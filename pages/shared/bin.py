"""Deleting on a page, of runs or of saved models: the way back, the deleted ones, emptying.

What is said of an action is kept for the visit until the page is drawn again. Knows nothing of what
is deleted but its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from cnn.errors import CnnError
from cnn.trash import DAYS_KEPT, Deleted, Trash
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import count, plain


@dataclass(frozen=True)
class Bin:
    """What a page needs to delete things of one kind."""

    what: str  # run or model; begins the keys of its widgets
    trash: Callable[[], Trash]
    move_there: Callable[[str], str]  # deletes one and returns its name there
    title: Callable[[Deleted], str]  # what a person called it; may be empty
    forget: Callable[[], None]  # what was chosen is gone
    choose: Callable[[str], None]  # what was deleted is back
    warning: str  # before it is emptied

    def say(self, text: str) -> None:
        """Say that something is done, the next time that the page is drawn."""
        st.session_state[self._key("notice")] = text

    def show_messages(self) -> None:
        """Show what became of the last action, and the way back from a deletion."""
        problem = st.session_state.pop(self._key("problem"), None)
        if problem:
            show_error(problem)
        notice = st.session_state.pop(self._key("notice"), None)
        if notice:
            st.success(plain(notice), icon=":material/check_circle:")
        deleted = st.session_state.get(self._key("deleted"))
        if deleted:
            name, title = deleted
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/delete: **{plain(title)}** is deleted.", width="content")
                st.space("stretch")
                st.button("Undo", icon=":material/undo:", key=self._key("undo"), type="primary",
                          on_click=self.restore, args=(name,))

    def deleted(self) -> str:
        """Return what the one is called that this visitor deleted last and can undo."""
        _, title = st.session_state.get(self._key("deleted"), ("", ""))
        return str(title)

    def delete(self, name: str, title: str) -> None:
        """Delete one; for `on_click`.

        Args:
            name: Of its folder.
            title: What it is called where its deletion is told.
        """
        try:
            st.session_state[self._key("deleted")] = self.move_there(name), title
            self.forget()
        except CnnError as error:  # it is used by now, or the folder cannot be written
            self.show_later(error)

    def restore(self, name: str) -> None:
        """Bring a deleted one back and choose it; for `on_click`."""
        st.session_state.pop(self._key("deleted"), None)
        try:
            self.choose(self.trash().restore(name))
        except CnnError as error:  # deleted for good meanwhile
            self.show_later(error)

    def show_later(self, error: CnnError) -> None:
        """Show a failure the next time that the page is drawn."""
        st.session_state[self._key("problem")] = error

    def draw_deleted(self) -> None:
        """Draw the deleted ones with a way back for each, and the way to be rid of them."""
        deleted = self.trash().entries()
        if not deleted:
            return
        with st.expander(f"Deleted {self.what}s ({count(len(deleted))})", icon=":material/delete:"):
            st.caption(f"Each is kept for {DAYS_KEPT} days.")
            self._draw_table(deleted)
            with st.popover("Delete them for good", icon=":material/delete_forever:"):
                st.write(self.warning)
                if st.button("Delete for good", type="primary", key=self._key("empty")):
                    with errors_shown():
                        self.say(f"Deleted for good: {count(self.trash().empty())}.")
                        st.session_state.pop(self._key("deleted"), None)
                        st.rerun()

    def _draw_table(self, deleted: list[Deleted]) -> None:
        names = [one.name for one in deleted]
        st.dataframe(
            {"Restore": ["Restore"] * len(deleted),
             self.what.capitalize(): [self.title(one) or one.name for one in deleted],
             "Deleted": [datetime.fromtimestamp(one.deleted, UTC) for one in deleted],
             "Kept until": [datetime.fromtimestamp(one.ends, UTC) for one in deleted]},
            hide_index=True, alt=f"Deleted {self.what}s", column_config={
                "Restore": st.column_config.ButtonColumn(
                    key=self._key("restore"), on_click=self._restore_row, args=(names,),
                    type="tertiary", width="small"),
                "Deleted": st.column_config.DatetimeColumn(format="distance"),
                "Kept until": st.column_config.DatetimeColumn(format="D MMM YYYY")})

    def _restore_row(self, names: list[str]) -> None:
        self.restore(names[st.session_state[self._key("restore")]["row"]])

    def _key(self, ending: str) -> str:
        return f"{self.what}s_{ending}"
