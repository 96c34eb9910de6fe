"""Print what ``panel serve`` wants after ``--static-dirs``."""

import sys

from planner.maps.assets import STATIC_DIRS

if __name__ == "__main__":
    sys.stdout.write(" ".join(f"{route}={folder}" for route, folder in STATIC_DIRS.items()) + "\n")
