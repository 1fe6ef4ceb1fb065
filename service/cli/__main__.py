"""`python -m service.cli` is `bitfloor`."""

import sys

from service.cli.main import main

sys.exit(main())
