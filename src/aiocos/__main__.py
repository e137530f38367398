"""`python -m aiocos` is the command line."""

from aiocos.cli import main

if __name__ == "__main__":
    main()
