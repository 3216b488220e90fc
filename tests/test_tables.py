"""Tables of files and labels: headings, separators, encodings, and finding the files they name."""

import pytest

from cnn.data.tables import FileFinder, Row, read_table
from cnn.errors import BadInput

PICTURES = (".png", ".jpg")


def rows(data: bytes) -> list[Row]:
    return read_table(data, "labels.csv", PICTURES).rows


@pytest.mark.parametrize("data", [
    b"file,label\na.png,cat\nb.png,dog\n",
    b"a.png,cat\nb.png,dog\n",
    b"\xef\xbb\xbffile;label\r\na.png;cat\r\nb.png;dog\r\n",
    b"label\tfile\ncat\ta.png\ndog\tb.png",
    b'"Image","Class"\n"a.png","cat"\n\n"b.png","dog"\n',
    b"Bild,Tier\na.png,cat\nb.png,dog\n",
    "file,label\na.png,cat\nb.png,dog\n".encode("utf-16"),
])
def test_a_table_is_read_however_it_was_saved(data: bytes) -> None:
    assert rows(data) == [Row("a.png", "cat"), Row("b.png", "dog")]


@pytest.mark.parametrize(("data", "sure"), [
    (b"image_id,dx\na,b\n", True), (b"file,width\na.png,12\n", False), (b"a.png,cat\n", False)])
def test_only_headings_make_sure_that_a_column_holds_labels(data: bytes, sure: bool) -> None:
    assert read_table(data, "labels.csv", PICTURES).sure is sure


def test_umlauts_of_an_old_spreadsheet_are_read() -> None:
    assert rows("file;label\na.png;Bär\n".encode("cp1252")) == [Row("a.png", "Bär")]


def test_one_letter_in_two_unicode_forms_is_one_label() -> None:
    assert {row.label for row in rows("a.png,B\u00e4r\nb.png,Ba\u0308r\n".encode())} == {"B\u00e4r"}


def test_columns_for_split_and_group_are_found_by_their_names() -> None:
    assert rows(b"patient,image_id,diagnosis,set\np1,a,ill,test\np2,b,well,\n") == [
        Row("a", "ill", "test", "p1"), Row("b", "well", "", "p2")]


def test_without_headings_further_columns_are_told_by_what_is_in_them() -> None:
    assert rows(b"a.png,cat,train,s1\nb.png,dog,test,s2\n") == [
        Row("a.png", "cat", "train", "s1"), Row("b.png", "dog", "test", "s2")]
    assert rows(b"a.png,cat,s1\nb.png,dog,s2\n")[1] == Row("b.png", "dog", "", "s2")


@pytest.mark.parametrize("data", [b"", b"a.png\nb.png\n", b"\n\n"])
def test_what_has_no_two_columns_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"labels\.csv has no second column"):
        rows(data)


def test_a_huge_cell_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"labels\.csv cannot be read"):
        rows(b"a.png," + b"x" * 200_000)


@pytest.mark.parametrize(("named", "path"), [
    ("x/a.png", "x/a.png"), ("a.png", "x/a.png"), ("a", "x/a.png"), ("x\\a.png", "x/a.png"),
    ("x/a", "x/a.png"), ("./x/a.png", "x/a.png"), ("same.png", None), ("../a.png", None),
    ("nothing.png", None),
])
def test_a_file_is_found_by_path_name_or_stem_if_only_one_is_meant(
    named: str, path: str | None
) -> None:
    assert FileFinder(["x/a.png", "x/same.png", "y/same.png"]).find(named) == path
