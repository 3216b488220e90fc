"""Giving pictures in a browser: from the clipboard, by the camera, only a part of one, many."""

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


def drop(page, *paths):
    """Drop files or folders on the uploader, as from a file manager."""
    box = page.get_by_test_id("stFileUploaderDropzone").bounding_box()
    page.locator(".st-key-predict_files_drop button").first.wait_for()
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {
            "type": kind, "x": box["x"] + 9, "y": box["y"] + 9,
            "data": {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}})


@pytest.fixture
def many(tmp_path):
    """A folder of 120 small pictures, some of them in a folder below, and a text."""
    for number in range(120):
        path = tmp_path / ("below" if number % 3 else ".") / f"{number:03}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8), number).save(path)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_many_files_go_past_the_uploader_and_become_a_table(visit, server, many):
    page = visit(f"{server.url}/predict")
    files = sorted(many.rglob("*.*"))
    drop(page, *files[:2])
    page.get_by_test_id("stFileChip").nth(1).wait_for()  # few are the uploader's own
    drop(page, *files)
    page.get_by_text("All 122").wait_for(timeout=WAIT)
    page.get_by_test_id("stDataFrame").wait_for(timeout=WAIT)
    assert page.get_by_text("120 files given at once").is_visible()
    assert page.get_by_text("1 because of the name").is_visible()
    assert page.get_by_test_id("stFileChip").count() == 2

    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files[:60])
    page.get_by_text("60 files given at once").wait_for()
    assert page.get_by_test_id("stFileChip").count() == 2
    assert page.problems == []


def test_a_folder_is_sent_until_it_is_cancelled_and_then_once_more(visit, server, places, many):
    page = visit(f"{server.url}/predict")
    page.route("**/drops/*?files=*", lambda route: None)  # they never come through
    drop(page, many)
    page.get_by_text("Sending 0 of 120 files").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Choose a folder").wait_for()
    assert page.get_by_text("120 files given at once").count() == 0

    page.unroute_all(behavior="ignoreErrors")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(many)
    page.get_by_text("120 files given at once").wait_for()
    page.get_by_text("All 120").wait_for(timeout=WAIT)
    assert page.problems == []
