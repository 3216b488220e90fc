"""Which pages there are, and the frame around each of them."""

from __future__ import annotations

import streamlit as st

HOME, DATA, TRAIN = "pages/home.py", "pages/data.py", "pages/train.py"
RUNS, EVALUATE, PREDICT = "pages/runs.py", "pages/evaluate.py", "pages/predict.py"
COMPARE, LAB, INSIDE = "pages/compare.py", "pages/lab.py", "pages/inside.py"
WIDEST = 1160  # pixels: longer lines are hard to read

# Drawn here and not taken from an icon font: the browser would ask another server for that.
_SIGN = ('<g fill="none" stroke="#2f6fed" stroke-width="3.2">'
         '<rect x="3" y="3" width="17" height="17" rx="3"/>'
         '<rect x="11" y="11" width="18" height="18" rx="3" fill="#2f6fed" '
         'fill-opacity=".25"/></g>')
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{_SIGN}</svg>'
LOGO = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 168 32">{_SIGN}'
        '<text x="40" y="23.5" font-family="Source Sans Pro,Source Sans,Segoe UI,sans-serif" '
        'font-size="22" font-weight="700" fill="#2f6fed">CNN Studio</text></svg>')

# What Ctrl+P prints is the page, not the navigation. A chosen segment or pill has the colour of all
# text, on its coloured ground: Streamlit writes it in the primary colour, and no colour is at once
# light enough for that on a dark page and dark enough for the white words of a primary button.
# Segments go on in the next line where a phone is too narrow: beside other things it cut them off.
_STYLE = ("<style>@media print{[data-testid=stSidebar],[data-testid=stHeader]"
          "{display:none!important}}"
          "[data-testid=stButtonGroup] button:not(:disabled){color:inherit!important}"
          "[data-testid=stButtonGroup]>div{flex-wrap:wrap!important}"
          "</style>")


def page_list() -> list[st.Page]:
    """Return the pages in the order of the sidebar."""
    return [
        st.Page(HOME, title="Home", icon=":material/home:", default=True),
        st.Page(DATA, title="Data", icon=":material/photo_library:"),
        st.Page(TRAIN, title="Train", icon=":material/model_training:"),
        st.Page(LAB, title="Architecture lab", icon=":material/construction:"),
        st.Page(RUNS, title="Runs", icon=":material/list_alt:"),
        st.Page(EVALUATE, title="Evaluate", icon=":material/query_stats:"),
        st.Page(COMPARE, title="Compare", icon=":material/compare_arrows:"),
        st.Page(INSIDE, title="Look inside", icon=":material/layers:"),
        st.Page(PREDICT, title="Predict", icon=":material/image_search:"),
    ]


def draw_page() -> None:
    """Draw the page that the address asks for, in the frame that all pages share."""
    # The sign first: without one, the browser would fetch the page's icon from Google.
    st.set_page_config(page_icon=ICON, layout="wide")
    page = st.navigation(page_list())
    st.set_page_config(page_title=f"{page.title} · CNN Studio")
    st.logo(LOGO, size="large", icon_image=ICON)
    st.html(_STYLE)
    with st.container(width=WIDEST):
        st.title("CNN Studio" if page.title == "Home" else page.title)
        page.run()
