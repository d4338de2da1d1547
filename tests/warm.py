"""Programs started from an interpreter that has imported their libraries already: real processes, cheap to start.

`start("bot", "serve", …)` comes to what `python -m bot serve …` does, with a process id, files, working directory and
environment of its own; it may be killed and stopped. The interpreter (`python -m tests.warm`) forks at each wish and
tells how the fork ended; it ends, and ends what it started, when the tests that started it do. A test that promises
something of the start itself (how fast, what it imports) starts a bare interpreter instead.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("anthropic", "httpx2", "bot.cli", "bot.bootstrap", "sandbox.parts", "sandbox.server", "sandbox.keeping")
_SIZE = 4


class Started:
    """A process, with the verbs of `subprocess.Popen` that tests use."""

    def __init__(self, tells: int, words: tuple[str, ...]) -> None:
        self._tells = os.fdopen(tells, "rb", buffering=0)
        self.args = words
        self.returncode: int | None = None
        first = self._line()
        if not first:
            raise RuntimeError("the warm interpreter is gone; what it said stands on stderr")
        self.pid = int(first)

    def _line(self) -> bytes:
        return self._tells.readline()

    def poll(self) -> int | None:
        """Its exit status (negative for a signal) where it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(timeout=0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status when it ends. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if timeout is not None and not select.select([self._tells], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = int(self._line() or -signal.SIGKILL)
            self._tells.close()
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal where it runs still."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(
    *words: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
) -> Started:
    """Start a program by its module's name and its words; `stdout` and `stderr` are file descriptors."""
    wish = {"words": words, "cwd": str(cwd), "env": dict(os.environ if env is None else env)}
    body = json.dumps(wish).encode()
    reading, writing = os.pipe()
    try:
        with Path(os.devnull).open("r+b") as nothing:
            ends = [nothing.fileno() if end == subprocess.DEVNULL else end for end in (stdout, stderr)]
            _wish(body, [nothing.fileno(), *ends, writing])
    finally:
        os.close(writing)
    return Started(reading, words)


def run(*words: str, cwd: Path, env: Mapping[str, str], timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Start a program and wait for its end, as `subprocess.run` does. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = start(*words, cwd=cwd, env=env, stdout=out.fileno(), stderr=err.fileno())
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, code, out.read(), err.read())


def _wish(body: bytes, files: list[int]) -> None:
    wishes, alone = _interpreter()
    with alone:
        socket.send_fds(wishes, [len(body).to_bytes(_SIZE)], files)
        wishes.sendall(body)


@functools.cache
def _interpreter() -> tuple[socket.socket, threading.Lock]:
    """The interpreter of this process's tests: where wishes are sent, one at a time."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    atexit.register(_ended, ours, process)
    return ours, threading.Lock()


def _ended(wishes: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Nobody wishes any more: the interpreter ends what still runs, and itself."""
    wishes.close()
    process.wait()


class _Forks:
    """The interpreter's side: who runs, and where each one's end is to be told."""

    def __init__(self, wishes: socket.socket) -> None:
        self.wishes = wishes
        self.tells: dict[int, int] = {}

    def next(self) -> tuple[str, ...]:
        """Fork at each wish; come back in the fork alone, with its words. Exits when nobody can wish any more."""
        ended, ends = socket.socketpair()
        ended.setblocking(False)
        ends.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ends.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self.wishes, ended], [], [])
            if ended in ready:
                ended.recv(4096)
                self._bury()
            if self.wishes in ready and (words := self._grant()):
                ended.close()
                ends.close()
                return words

    def _bury(self) -> None:
        """Tell of all that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                tells = self.tells.pop(found[0])
                with contextlib.suppress(BrokenPipeError):
                    os.write(tells, b"%d\n" % os.waitstatus_to_exitcode(found[1]))
                os.close(tells)

    def _grant(self) -> tuple[str, ...] | None:
        size, files, _, _ = socket.recv_fds(self.wishes, _SIZE, 4)
        if not size:
            self._end()
        wish = json.loads(self.wishes.recv(int.from_bytes(size), socket.MSG_WAITALL))
        *ends, tells = files
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            for each in (tells, self.wishes.detach(), *self.tells.values()):
                os.close(each)
            return _become(wish, ends)
        for each in ends:
            os.close(each)
        self.tells[child] = tells
        os.write(tells, b"%d\n" % child)
        return None

    def _end(self) -> None:
        for child in self.tells:
            os.kill(child, signal.SIGKILL)
        os._exit(0)


def _become(wish: dict[str, Any], ends: list[int]) -> tuple[str, ...]:
    """Be a process of its own as far as Python sees it."""
    for place, file in enumerate(ends):
        os.dup2(file, place)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(wish["env"])
    os.chdir(wish["cwd"])
    time.tzset()
    sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in os.environ)
    sys.path[0:1] = [os.getcwd(), str(ROOT)]
    sys.argv = list(wish["words"])
    return tuple(wish["words"])


def _commands() -> list[str]:
    import bot.commands

    return [f"bot.commands.{each.name}" for each in pkgutil.iter_modules(bot.commands.__path__)]


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in (*LIBRARIES, *_commands()):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    words = _Forks(socket.socket(fileno=int(sys.argv[1]))).next()
    _play(words[0])


def _play(module: str) -> None:
    """Run the program and end as Python does, but without taking a thousand modules apart one by one."""
    code: object = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _main()
