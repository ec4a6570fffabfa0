"""python -m freezer"""

from freezer.cli.main import main

main()
