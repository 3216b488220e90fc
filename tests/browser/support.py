"""What every browser test does with a page."""


def settle(page):
    """Wait until the script has run."""
    page.wait_for_selector("h1")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
