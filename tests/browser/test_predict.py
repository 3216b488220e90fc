"""Giving pictures in a browser: from the clipboard, by the camera, and only a part of one."""

import base64
import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.dashboard_process import dashboard
from cnn.paths import PROJECT

WAIT = 60_000  # ms; the engine starts with the first answer


@pytest.fixture(scope="module")
def server(places):
    shutil.copytree(PROJECT / "saved_models" / "digits-base",
                    Path(places["CNN_MODELS_DIR"]) / "digits-base")
    with dashboard(places) as running:
        yield running


def halves():
    """A picture that is black on the left and white on the right."""
    image = Image.new("RGB", (400, 200), "black")
    image.paste((255, 255, 255), (200, 0, 400, 200))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def paste(page, data):
    page.get_by_text("anywhere on this page").wait_for()
    page.evaluate(
        """async (url) => {
          const blob = await (await fetch(url)).blob();
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([blob], "image.png", { type: "image/png" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""", f"data:image/png;base64,{base64.b64encode(data).decode()}")


def colour_seen(page):
    """Return the mean brightness of what the model sees, 0 to 255."""
    return page.get_by_alt_text("as the model sees it").first.evaluate(
        """async (image) => {
          await image.decode();
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = 1;
          const context = canvas.getContext("2d");
          context.imageSmoothingQuality = "high";
          context.drawImage(image, 0, 0, 1, 1);
          return context.getImageData(0, 0, 1, 1).data[0];
        }""")


def test_a_pasted_picture_is_answered_and_a_part_of_it_by_mouse_and_by_keys(visit, server):
    page = visit(f"{server.url}/predict")
    paste(page, halves())
    page.get_by_text("Pasted picture 1").first.wait_for(timeout=WAIT)
    page.get_by_alt_text("as the model sees it").first.wait_for(timeout=WAIT)

    page.get_by_text("Choose a part").first.click()
    part = page.locator(".part")
    part.wait_for()
    box = part.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] - 300, box["y"] + 20, steps=4)  # beyond the edge: it stays inside
    page.mouse.up()
    page.get_by_text("Your part").wait_for()
    page.wait_for_timeout(1000)
    left = colour_seen(page)

    part.focus()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(2500)
    # The digits model exchanges light and dark of a white picture, and says so.
    page.get_by_text("light and dark were exchanged").first.wait_for()
    assert left == 0
    assert page.problems == []


def test_text_that_is_pasted_stays_where_the_cursor_is(visit, server):
    page = visit(f"{server.url}/predict")
    field = page.get_by_label("Or paste a link to a picture")
    field.fill("https://example.org/a.png")
    page.evaluate(
        """() => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", "words");
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""")
    page.wait_for_timeout(500)
    assert field.input_value() == "https://example.org/a.png"
    assert page.get_by_text("Pasted picture").count() == 0


def test_the_camera_gives_a_picture(browser, server):
    context = browser.new_context(permissions=["camera"])
    page = context.new_page()
    page.goto(f"{server.url}/predict")
    page.get_by_text("Use the camera").click()
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0", timeout=WAIT)
    page.get_by_role("button", name="Take Photo").click(timeout=WAIT)
    page.get_by_text("Photo 1").first.wait_for(timeout=WAIT)
    context.close()
