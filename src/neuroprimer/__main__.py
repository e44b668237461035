"""Let ``python -m neuroprimer`` be the command line."""

from neuroprimer.cli import main

if __name__ == "__main__":
    main()
