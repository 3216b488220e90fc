"""The walls of the house: who may import whom, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CNN = sorted((ROOT / "cnn").rglob("*.py"))
PAGES = [ROOT / "dashboard.py", *sorted((ROOT / "pages").rglob("*.py"))]

# Lower rooms first; a room may import itself and those before it.
ORDER = [{"errors", "files", "paths", "config", "hardware", "tables", "trash"}, {"data"},
         {"short_work", "confined"},
         {"models"},
         {"training", "evaluation", "prediction"}, {"exports", "runs"}, {"reports"},
         {"api", "api_docs", "cli", "doctor", "__main__"}]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room(module):
    name = module.split(".")[1].split("_")[0] if module.count(".") else ""
    return next((i for i, rooms in enumerate(ORDER)
                 if any(name == r.split("_")[0] for r in rooms)), None)


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", CNN, ids=module_of)
def test_cnn_never_imports_streamlit_and_imports_point_one_way(path):
    own = room(module_of(path)) if path.name != "__init__.py" else None
    for name in imported(path):
        assert name.split(".")[0] != "streamlit"
        if own is not None and name.startswith("cnn."):
            assert room(name) is not None, f"{name} has no room"
            assert room(name) <= own, f"{module_of(path)} imports {name}"


@pytest.mark.parametrize("path", PAGES, ids=module_of)
def test_pages_never_name_tensorflow_or_the_heavy_libraries(path):
    heavy = {"tensorflow", "keras", "sklearn", "scipy", "seaborn", "matplotlib"}
    assert not {name.split(".")[0] for name in imported(path)} & heavy


@pytest.mark.parametrize("path", [*CNN, *PAGES], ids=module_of)
def test_every_module_says_what_it_is_for(path):
    if path.read_text().strip():
        assert ast.get_docstring(ast.parse(path.read_text()))


def test_nothing_but_the_fetcher_and_the_downloader_opens_a_link():
    clients = {"httpx2", "httpcore2", "requests", "urllib.request", "http.client", "aiohttp"}
    users = {module_of(path) for path in [*CNN, *PAGES] if set(imported(path)) & clients}
    assert users == {"cnn.data.urls", "cnn.data.download"}
