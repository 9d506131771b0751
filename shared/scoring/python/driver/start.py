"""What the app starts: `python start.py` is a worker, `python start.py --check SCRIPT` looks at a script without running it."""

import os
import sys

# Written so that older interpreters get this far and can say so.
if sys.version_info < (3, 8):
    sys.exit("Python %d.%d is too old to score with: 3.8 or later is needed." % sys.version_info[:2])


def _main():
    here = os.path.dirname(os.path.abspath(__file__))
    keeps_bytecode = sys.dont_write_bytecode
    # The app's folder may be read-only, and nothing in it may change.
    sys.dont_write_bytecode = True
    sys.path.insert(0, here)
    from batchpoint_driver import check, worker

    sys.dont_write_bytecode = keeps_bytecode
    # The script must not find the driver's modules by chance.
    sys.path[:] = [entry for entry in sys.path if entry != here]
    if sys.argv[1:2] == ["--check"]:
        check.main(sys.argv[2])
    else:
        worker.main()


# Children that multiprocessing spawns import this file again.
if __name__ == "__main__":
    _main()
