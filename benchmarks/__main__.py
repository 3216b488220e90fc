"""`python -m benchmarks`: the tables that take minutes, one after the other.

Those that train for hours are run by name: ladder, live_page, time_to_accuracy; importing
wants the disk for itself.
"""

import subprocess
import sys

for name in ("server", "prediction", "api_load", "training_speed"):
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=True)
