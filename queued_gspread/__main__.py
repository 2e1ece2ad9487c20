"""``python -m queued_gspread script.py`` runs a program whose calls of gspread are queued.

With a command, such as ``demo``, it is the same as ``queued-gspread``.
"""

import sys

from queued_gspread.cli import main, with_command

sys.exit(main(with_command(sys.argv[1:])))
