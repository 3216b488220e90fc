"""Steps that tests of several pages take with an AppTest."""

import time


def texts(elements):
    return "\n".join(str(element.value) for element in elements)


def run_until(page, condition, seconds=60):
    """Run the page again and again until a condition holds, and return it."""
    end = time.monotonic() + seconds
    while not condition(page):
        assert time.monotonic() < end, texts(page.error)
        time.sleep(0.02)
        page.run()
    assert not page.exception
    return page
