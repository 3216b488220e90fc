"""Why?, below an answer on the Predict page, with an engine that needs no TensorFlow."""

from __future__ import annotations

import hashlib

import numpy as np
from model_folders import write_model
from page_steps import texts

from cnn.data.images import encode_png
from pages.shared.why_view import ALIKE, MAPS, PIXELS


def picture(value: int) -> bytes:
    return encode_png(np.full((30, 40, 3), value, np.uint8))


def answered(open_page, value: int = 200, **card):
    """Open Predict with one answer."""
    write_model("first", **card)
    page = open_page("predict")
    page.file_uploader(key="predict_files").upload("a.png", picture(value))
    return page.run()


def why_key() -> str:
    digest = hashlib.sha256(picture(200)).hexdigest()[:16]
    return f"why_first_fit_{digest}predict_{digest}_1"


def opened(page, way: str = ""):
    """Open the section, and choose what it shows."""
    key = why_key()
    page.session_state[key] = True
    page.run()
    if way:
        page.button_group(key=f"{key}_way").set_value(way).run()
    assert not page.exception
    return page


def captions(page) -> list[str]:
    return [image.proto.imgs[0].caption for image in page.get("image")]


def test_nothing_is_computed_before_it_is_opened(open_page, asked) -> None:
    page = answered(open_page)
    assert [item.label for item in page.expander if item.label == "Why?"]
    assert {item["op"] for item in asked()} <= {"ready", "ways"}


def test_the_answer_and_the_runner_up_are_shown_with_the_picture(open_page, asked) -> None:
    page = opened(answered(open_page))
    assert captions(page)[-3:] == ["The part it sees", "**ant** · 50.0 %", "**bee** · 50.0 %"]
    assert asked()[-1]["classes"] == ["ant", "bee"] and asked()[-1]["method"] == "grad-cam"
    assert "layer conv\\_1, 7 × 7 places" in texts(page.caption)
    assert not page.warning


def test_any_class_can_be_asked_for(open_page, asked) -> None:
    page = opened(answered(open_page))
    page.multiselect[0].set_value(["cat"]).run()
    assert asked()[-1]["classes"] == ["cat"]
    assert "No part of the picture speaks for cat" in texts(page.caption)
    page.multiselect[0].set_value([]).run()
    assert "at least one class" in texts(page.caption)


def test_a_map_too_coarse_to_say_anything_says_so(open_page, asked) -> None:
    page = opened(answered(open_page, architecture="coarse"))
    assert "too coarse" in texts(page.warning)


def test_saliency_is_a_second_opinion(open_page, asked) -> None:
    page = opened(answered(open_page), PIXELS)
    assert asked()[-1]["method"] == "saliency"
    assert "second opinion" in texts(page.caption)


def test_the_most_similar_training_images_are_counted(open_page, asked) -> None:
    page = opened(answered(open_page), ALIKE)
    assert "2 of the 3 most similar show **ant**" in texts(page.markdown)
    assert captions(page)[-3:] == ["ant · 0.90", "ant · 0.80", "bee · 0.70"]
    assert "Among 90 training images" in texts(page.caption)


def test_feature_maps_of_each_layer(open_page, asked) -> None:
    page = opened(answered(open_page), MAPS)
    page.selectbox(key=f"{why_key()}_layer").select("pool_1").run()
    assert asked()[-1]["layer"] == "pool_1"
    assert "The 32 strongest of 40 channels, 4 × 3 values each" in texts(page.caption)


def test_a_picture_of_something_else_is_said_before_its_likeliest_classes(open_page, asked) -> None:
    page = answered(open_page, value=0)
    assert "Probably none of these" in texts(page.warning)
    assert "99.0 %" in texts(page.warning)
    assert [bar.text.split(" ")[0] for bar in page.progress] == ["ant", "bee", "cat"]


def test_a_picture_like_the_training_images_is_not_doubted(open_page, asked) -> None:
    page = answered(open_page)
    assert not page.warning and page.progress[0].text.startswith("**ant**")
