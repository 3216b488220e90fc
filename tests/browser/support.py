"""What every browser test does with a page."""

import re


def settle(page):
    """Wait until the script has run."""
    page.wait_for_selector("h1")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def start_digits_run(page, epochs):
    """Start a digits run as a person does, on the open form, and return its id."""
    field = page.locator(".st-key-train_epochs_digits input")
    field.fill(str(epochs))
    field.press("Enter")
    settle(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"run=\d"))
    return run_id_of(page)


def run_id_of(page):
    """Return the id of the run that a page shows."""
    return re.search(r"run=([^&]+)", page.url)[1]
