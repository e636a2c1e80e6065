"""Writing lines to a pipe whose reader may have stopped reading, without waiting for it."""

from __future__ import annotations

import os
import select
import stat
from typing import TextIO

_PATIENCE_MS = 100  # for a reader that is only slow
_PIECE = getattr(select, "PIPE_BUF", 512)  # bytes; a pipe that can be written takes as many without blocking


def is_pipe(output: TextIO) -> bool:
    """Whether writing may block for ever, and can be asked about: a pipe or a socket, where the system has `poll`."""
    if not hasattr(select, "poll"):
        return False
    try:
        mode = os.fstat(output.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # a stream in memory, or a closed one
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class PipeWriter:
    """Drops what does not fit. The descriptor stays blocking: other processes may share it, and could not handle that.

    Two processes that see the last free page at once may still wait for the reader; threads of one process cannot.
    """

    def __init__(self) -> None:
        self._is_stalled = False
        self._line_is_cut = False

    def write(self, descriptor: int, line: bytes) -> bool:
        """Whether the whole line was written. Raises OSError."""
        rest = b"\n" + line if self._line_is_cut else line
        while rest:
            if not self._is_writable(descriptor):
                self._line_is_cut = self._line_is_cut or len(rest) < len(line)
                return False
            rest = rest[os.write(descriptor, rest[:_PIECE]) :]
        self._line_is_cut = False
        return True

    def _is_writable(self, descriptor: int) -> bool:
        """Wait for a slow reader, but once and not for each line."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        self._is_stalled = not poll.poll(0 if self._is_stalled else _PATIENCE_MS)
        return not self._is_stalled
