"""`python -m tabwright`: the same as the `tabwright` command."""

from tabwright.cli import main

if __name__ == "__main__":
    main()
