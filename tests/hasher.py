"""One of several processes that share a host's room for Argon2. `python -m tests.hasher FOLDER AT_ONCE WORKERS TIMES`

Each piece of work writes `+` to the file `diary` in the folder when it begins and `-` when it ends. With 0 TIMES one begins and never ends.
"""

import asyncio
import hashlib
import os
import sys
import threading
from pathlib import Path

from grantway.argon2_queue import Argon2Queue, HostSlots


def work(diary: int, at_once: int, for_ever: bool) -> None:
    os.write(diary, b"+")
    while os.fstat(diary).st_size < at_once:  # the first ones wait for each other: as many as may be do begin at once
        pass
    if for_ever:
        print("holds", flush=True)
        threading.Event().wait()
    hashlib.scrypt(b"x", salt=b"y", n=1024, r=8, p=1)
    os.write(diary, b"-")


async def main(folder: Path, at_once: int, workers: int, times: int) -> None:
    diary = os.open(folder / "diary", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    queue = Argon2Queue(at_once, 1000, slots=HostSlots(folder, at_once, workers))
    await asyncio.gather(*(queue(work, diary, at_once, times == 0) for _ in range(times or 1)))
    queue.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
