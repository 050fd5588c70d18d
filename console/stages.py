"""What the commands of the students' stages share: options, the progress bar, the printed manifest."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from tracejury.console.failing import Exit, fail
from tracejury.console.lines import print_notice
from tracejury.console.neutral import print_json
from tracejury.console.outputs import output_folder

Manifest = dict[str, Any]
CallStage = Callable[[asyncio.Event, Callable[..., None]], Awaitable[Manifest]]
"""Receives the event that stops it, and the function that takes (completed, total, note)."""

Out = Annotated[
    Path, typer.Option(callback=output_folder, help="Write to this folder; the same command continues in it.")
]
Reader = Annotated[str, typer.Option(help="Read the input in this format (`tracejury read --list`).")]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="Call the OpenAI-compatible server at this address, such as http://127.0.0.1:8000/v1."),
]
KeyEnv = Annotated[str | None, typer.Option(help="Read the key from this environment variable.")]
ServedBy = Annotated[
    str | None,
    typer.Option(
        help="Write the sampling fields as this server takes them: vllm, llama.cpp or plain (OpenAI's fields only). "
        "Default: vllm, except for OpenAI's own service."
    ),
]
Temperature = Annotated[float, typer.Option(min=0, help="Sample at this temperature.")]
TopP = Annotated[
    float, typer.Option(min=0.01, max=1, help="Sample from the tokens that hold this share of the probability.")
]
ChainTokens = Annotated[int, typer.Option(min=1, help="Limit a chain to this many tokens.")]
TokenPrice = Annotated[
    tuple[float, float], typer.Option(help="Count these dollars per million prompt and completion tokens.")
]
Seed = Annotated[int, typer.Option(help="Set the seed; the same seed draws the same chains.")]
Recipe = Annotated[str, typer.Argument(help="Use this recipe: a name (configs/students) or a YAML file.")]
Backend = Annotated[str | None, typer.Option(help="Train with unsloth, trl or auto. Default: as the recipe says.")]


def calls_store(store: str | None, out: Path) -> str:
    """Return the ledger URL for a stage's calls, in its folder unless given; make the folder."""
    out.mkdir(parents=True, exist_ok=True)
    return store or f"sqlite:///{out / 'calls.db'}"


def print_manifest(manifest: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Print these keys of a stage's manifest as one line of JSON."""
    print_json(json.dumps({k: manifest[k] for k in keys if manifest.get(k) is not None}, ensure_ascii=False))


@contextmanager
def moving_bar(what: str, out: Path) -> Iterator[Callable[..., None]]:
    """Show a stage's progress; the yielded function takes (completed, total, note)."""
    from tracejury.console.progress import progress

    with resumable(out), progress(what) as bar:
        yield bar.update


def run_calls(what: str, out: Path, work: CallStage) -> Manifest:
    """Run a stage that calls a server, with its progress; return its manifest.

    The first Ctrl-C lets the calls that have begun finish, since they are paid for; the second ends the process.

    Args:
        what: What the stage counts, such as `chains`.
        out: The stage's folder.
        work: The stage.

    Raises:
        Exit: The user stopped it; the same command continues.
    """
    from tracejury.console.interrupts import clean_stop, end_process

    async def run() -> tuple[Manifest, bool]:
        with clean_stop("calls that have begun") as stopping, moving_bar(what, out) as move:
            return await work(stopping, move), stopping.is_set()

    try:
        manifest, stopped = asyncio.run(run())
    except asyncio.CancelledError:
        end_process()
    if stopped:
        print_notice(_INTERRUPTED)
        raise typer.Exit(Exit.INTERRUPTED)
    return manifest


def incomplete(manifest: Manifest, what: str = "calls") -> typer.Exit:
    """Say why calls of a stage failed, and return the exception to raise."""
    from tracejury.training import failure_summary

    reasons = failure_summary(manifest)
    return fail(f"{what} failed: {reasons}. The same command asks for them again.", Exit.SOME_FAILED)


_INTERRUPTED = "interrupted; the same command continues from here"
_LEAST_FREE = 16 << 20
"""Bytes: with less, a write of a few thousand vectors fails."""


def _has_no_room(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_FREE


@contextmanager
def resumable(out: Path) -> Iterator[None]:
    """Say that the same command continues the work in `out` where the user interrupts it or the disk is full."""
    try:
        yield
    except KeyboardInterrupt:
        print_notice(_INTERRUPTED)
        raise
    except Exception as error:
        from tracejury.training import is_full_disk

        # A ValueError is a message for the user already. Chroma's errors do not name the disk, its free space does.
        if isinstance(error, ValueError) or not (is_full_disk(error) or _has_no_room(out)):
            raise
        raise ValueError(
            f"{out}: the disk is full ({str(error)[:120]}). Free some space and give the same command again: it "
            "continues from here."
        ) from error


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C interrupt what runs, a training inside a coroutine too.

    asyncio answers the first SIGINT by cancelling its main task, which a training notices when it is over.
    """

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
