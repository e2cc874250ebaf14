"""`python -m bot` is `bulletproof`."""

import sys

from bot.cli import main

sys.exit(main())
