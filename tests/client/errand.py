"""An agent of its own, as a process: one refund in a run that survives its crash. `python errand.py TOOL FILE`."""

import sys
from pathlib import Path

from signoff import Signoff, needs_approval

tool, done = sys.argv[1], Path(sys.argv[2])


def main() -> None:
    with Signoff(run="nightly") as signoff:

        @needs_approval(client=signoff, tool=tool)
        def refund(order_id: str, amount: float) -> None:
            with done.open("a") as written:
                written.write(f"{order_id} {amount:g}\n")

        print("asking", flush=True)
        refund("HG-1042", 140)


main()
