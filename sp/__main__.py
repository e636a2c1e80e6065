"""`python -m sp` is `virtual-office`."""

from sp.cli import main

main()
