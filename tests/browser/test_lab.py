"""The list of layers in a real browser: quick clicks, typing, keys, and where the focus goes."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.support import settle


@pytest.fixture
def lab(visit, server):
    """The lab with the base network and its first layer open."""
    page = visit(f"{server.url}/lab?from=base")
    page.locator("button.line").first.click()
    return page


def words(page):
    return page.locator("button.line .words")


def focused(page):
    """What the focused element inside the list says or is called."""
    return page.locator(".layers").evaluate(
        "list => (one => one && (one.innerText || one.ariaLabel || one.tagName))"
        "(list.getRootNode().activeElement)")


def test_every_one_of_many_quick_clicks_counts_and_the_answer_follows(lab):
    more = lab.get_by_label("Filters: more")
    for _ in range(15):
        more.click(delay=0, no_wait_after=True)
    lab.get_by_label("Kernel: less").click()
    expect(words(lab).first).to_have_text("Conv 3×3, 47, ReLU")
    expect(lab.get_by_role("spinbutton", name="Filters")).to_have_value("47")
    expect(lab.locator(".form .quiet").last).to_contain_text(
        f"conv_1: {9 * 47 + 47} parameters")
    lab.get_by_role("button", name="Undo").click()
    expect(words(lab).first).to_have_text("Conv 4×4, 47, ReLU")
    assert lab.problems == []


def test_typing_the_arrow_keys_and_a_wrong_value_in_a_field(lab):
    field = lab.get_by_role("spinbutton", name="Filters")
    field.fill("12")
    field.press("Enter")
    expect(words(lab).first).to_have_text("Conv 4×4, 12, ReLU")
    field.press("ArrowUp")
    expect(words(lab).first).to_have_text("Conv 4×4, 13, ReLU")
    field.fill("1,024")
    field.press("Enter")
    expect(words(lab).first).to_have_text("Conv 4×4, 1024, ReLU")
    field.fill("13")
    field.press("Enter")
    expect(words(lab).first).to_have_text("Conv 4×4, 13, ReLU")
    assert lab.locator(".layers").evaluate(
        "list => list.getRootNode().activeElement.getAttribute('role')") == "spinbutton"
    field.fill("99999")
    field.press("Enter")
    lab.get_by_text("must be a whole number from 1 to 2048").wait_for()
    expect(field).to_have_value("13")
    field.fill("many")
    field.press("Enter")
    expect(field).to_have_value("13")
    expect(lab.get_by_text(re.compile("How many kernels"))).to_be_visible()
    assert lab.problems == []


def test_layers_are_added_moved_and_removed_by_keyboard_and_the_focus_stays_near(lab):
    lab.get_by_label("Add below").first.select_option(label="Dropout")
    expect(words(lab).nth(1)).to_have_text("Dropout 0.25")
    expect(lab.get_by_role("spinbutton", name="Rate")).to_be_visible()  # open at once
    up = lab.locator("li", has_text="Dropout 0.25").get_by_role("button", name="Up")
    up.focus()
    lab.keyboard.press("Enter")
    expect(words(lab).first).to_have_text("Dropout 0.25")
    expect(up).to_be_disabled()
    lab.locator("li", has_text="Dropout 0.25").get_by_role("button", name="Remove").focus()
    lab.keyboard.press("Enter")
    expect(words(lab).first).to_have_text("Conv 4×4, 32, ReLU")
    assert focused(lab).startswith("grid_on")  # the row that took its place
    lab.keyboard.press("Enter")
    expect(lab.get_by_role("spinbutton", name="Filters")).to_be_hidden()
    assert lab.problems == []


def test_what_does_not_fit_is_said_in_its_row_and_a_reload_shows_the_same(lab):
    lab.locator("button.line", has_text="Max pool").first.click()
    field = lab.get_by_role("spinbutton", name="Window")
    field.fill("9")
    field.press("Enter")
    expect(lab.locator("li.broken .words")).to_contain_text("at least 9×9")
    expect(lab.locator("li.unknown")).to_have_count(6)
    expect(lab.get_by_role("button", name="Save as an architecture")).to_be_disabled()
    lab.reload()
    settle(lab)
    expect(lab.locator("li.broken .words")).to_contain_text("at least 9×9")
    assert lab.problems == []
