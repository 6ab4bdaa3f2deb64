"""What both sample agents do: a message is a command and its words. Every one that is heard is a line of a file."""

import asyncio
import time
from pathlib import Path


def note(file, text):
    with Path(file).open("a") as notes:
        notes.write(f"{text}\n")


def come(file):
    """Wait until there is such a file, or for long enough."""
    until = time.monotonic() + 60
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.02)


async def behave(text, updater, speak, part, heard):
    """``speak`` makes a message of a text, ``part`` a part of one; whether there is a task at all."""
    note(heard, text)
    command, _, rest = text.partition(" ")
    if command == "echo":
        await updater.start_work(speak("thinking"))
        await updater.add_artifact([part(rest[:3])], artifact_id="said", name="said", append=False, last_chunk=False)
        await updater.add_artifact([part(rest[3:])], artifact_id="said", name="said", append=True, last_chunk=True)
        await updater.complete(speak(f"said {rest}"))
    elif command == "wait":
        await updater.start_work()
        await updater.add_artifact([part("begun, ")], artifact_id="said", name="said", append=False, last_chunk=False)
        await asyncio.to_thread(come, Path(rest))
        await updater.add_artifact([part("ended")], artifact_id="said", name="said", append=True, last_chunk=True)
        await updater.complete()
    elif command == "ask":
        await updater.start_work()
        await updater.requires_input(speak(f"Which {rest}?"))
    elif command == "auth":
        await updater.start_work()
        await updater.requires_auth(speak("Sign in at the door"))
    elif command == "fail":
        await updater.failed(speak("it broke"))
    elif command == "reject":
        await updater.reject(speak("not for me"))
    else:
        await updater.add_artifact([part(f"you say {text}")])
        await updater.complete()
