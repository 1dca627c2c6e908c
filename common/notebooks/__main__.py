"""The command line of `common.notebooks`."""

import argparse
import sys

from common.notebooks import BUILD, ROOT, DamagedNotebookError, reproduce, write


def main(argv=None):
    """Run the command line; return 1 if an output differs from the committed one, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m common.notebooks",
        description="Executes the notebooks in fresh kernels, from the stored results.",
    )
    parser.add_argument("command", choices=["reproduce", "write"])
    command = parser.parse_args(argv).command
    try:
        table = write() if command == "write" else reproduce()
    except (OSError, DamagedNotebookError) as error:
        sys.exit(str(error))
    if command == "write":
        return 0
    print(table.to_string(index=False))
    print(f"All of them on one page: {(BUILD / 'index.html').relative_to(ROOT)}")
    return int((table["outputs"] != "identical").any())


if __name__ == "__main__":
    sys.exit(main())
