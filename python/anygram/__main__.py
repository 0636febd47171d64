"""`python -m anygram`."""

from anygram.cli import main

main()
