"""The command line of `common.notebooks`."""

import argparse
import os
import sys
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from common import checkout
from common.notebooks import ROOT, reproduce, write


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return 1 if an output differs from the committed output, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m common.notebooks",
        description="Executes the notebooks in fresh kernels, from the stored results.",
    )
    parser.add_argument("command", choices=["reproduce", "write"])
    parser.add_argument("study", nargs="?", help="write only the notebooks of this study")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the studies")
    arguments = parser.parse_args(argv)
    if arguments.command == "reproduce" and arguments.study:
        parser.error("reproduce takes no study; it executes all notebooks")
    try:
        checkout.require("Every notebook")
        if arguments.command == "write":
            write(arguments.root.resolve(), arguments.study)
            return 0
        table = reproduce(arguments.root.resolve())
    except (OSError, ValueError, CellExecutionError) as error:
        sys.exit(str(error))
    print(table.to_string(index=False))
    return int((table["outputs"] != "identical").any())


def run() -> None:
    """Run the command line and end the process with its kernels."""
    try:
        status = main()
    except KeyboardInterrupt:
        print("Interrupted; finished notebooks are kept, and the same command continues.", file=sys.stderr)
        # The threads still wait for their kernels, which end with this process.
        os._exit(130)
    sys.exit(status)


if __name__ == "__main__":
    run()
