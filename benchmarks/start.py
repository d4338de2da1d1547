"""How long ``signoff --help`` and ``signoff serve`` take to answer, and what an idle gateway weighs.

    python -m benchmarks.start

Beside each figure its ratio to the same command of a bare interpreter (``python -c pass``), measured in the same run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.sandbox_process import SandboxProcess

ROUNDS = 5
IDLE = 3.0


def took(words: list[str]) -> float:
    """Seconds until the command ended."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def serve(environ: dict[str, str]) -> tuple[float, float]:
    """Seconds until ``serve`` said that it serves, and its resident megabytes after a while of idling."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "bot", "serve"], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ready = time.perf_counter() - begun
        time.sleep(IDLE)
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return ready, int(resident.split()[1]) / 1024


def main() -> None:
    """Print medians of the rounds."""
    with SandboxProcess() as sandbox, tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, **sandbox.env(), "DATABASE_URL": f"sqlite:///{folder}/signoff.db", "PORT": "0"}
        bare = statistics.median(took(["-c", "pass"]) for _ in range(ROUNDS))
        help_ = statistics.median(took(["-m", "bot", "--help"]) for _ in range(ROUNDS))
        served = [serve(environ) for _ in range(ROUNDS)]
    ready = statistics.median(each[0] for each in served)
    weight = statistics.median(each[1] for each in served)
    print(f"bare interpreter {bare:6.3f} s")
    print(f"signoff --help   {help_:6.3f} s  {help_ / bare:5.1f} x bare")
    print(f"serve is ready   {ready:6.3f} s  {ready / bare:5.1f} x bare")
    print(f"serve idles at   {weight:6.1f} MB")


if __name__ == "__main__":
    main()
