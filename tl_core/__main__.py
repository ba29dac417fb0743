"""`python -m tl_core`: everything the page does, without a page."""

import sys

from tl_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
