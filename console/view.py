"""`tracejury view`: the web viewer, and its pages as a static site."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.options import Store

if TYPE_CHECKING:
    from tracejury.ledger import Ledger, Run


def view(
    run: Annotated[str, typer.Argument(help="Show this run: its name, the beginning of its id, or `last`.")] = "last",
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[OTHER]",
            help="Open with the comparison of RUN and this run. RUN:ARM names an arm of either; else they are compared"
            " by an arm that both have.",
        ),
    ] = None,
    store: Store = None,
    host: Annotated[
        str, typer.Option(help="Listen on this address. Beyond loopback a token is required.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen on this port; 0 chooses a free one.")] = 7860,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="TRACEJURY_TOKEN", help="Require this token. Default: a new one, printed; none on loopback."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Answer under this host name too. Repeatable.")
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Serve only the blind review: no verdict, no run's name, no key.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the pages to this folder as a static site, and exit.")
    ] = None,
) -> None:
    """Show a run in the browser: the outcome of every step, and why.

    The viewer reads the ledger, also while a run is going on, and writes nothing but expert reviews and notes on steps.
    It needs the extra `viewer`.

    Examples: tracejury view last | tracejury view before after | tracejury view trial:base trial:tuned
    """
    with explained():
        _needs_viewer()
        from tracejury.ledger import DEFAULT_STORE, Ledger

        ledger = Ledger(store or DEFAULT_STORE)
        if other is not None and (export is not None or review):
            raise fail("two runs are compared on a page of their own: leave out --export and --review")
        pair = _compared(ledger, run, other) if other is not None else None
        chosen_run = pair[0] if pair else ledger.run(run)
        if export is not None:
            _export(ledger, chosen_run, export)
            return
        _serve(
            ledger, chosen_run, host, port, token, frozenset(allow_host or ()), open_browser, review,
            pair[1] if pair else None,
        )  # fmt: skip


def _compared(ledger: Ledger, run: str, other: str) -> tuple[Run, dict[str, str]]:
    """Return the first run, and the two arms as the page of their comparison takes them."""
    from tracejury.console.viewer import comparison_sides

    baseline, compared = comparison_sides(ledger, run, other)
    return baseline.run, {"a": f"{baseline.run.name}:{baseline.arm}", "b": f"{compared.run.name}:{compared.arm}"}


def _serve(
    ledger: Ledger,
    run: Run,
    host: str,
    port: int,
    token: str | None,
    allowed: frozenset[str],
    open_browser: bool,
    review: bool,
    compared: dict[str, str] | None,
) -> None:
    import socket
    import threading
    import webbrowser

    import uvicorn

    from tracejury.console.screen import err, marked
    from tracejury.console.viewer import create_app
    from tracejury.console.viewer.guard import is_loopback
    from tracejury.console.viewer.half_open import TimedProtocol
    from tracejury.console.viewer.rendering import place, served

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    app = create_app(
        ledger, host=host, token=token, allowed=allowed, first=None if review else run, review=run if review else None
    )
    bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    shown_host = f"[{host}]" if ":" in host else host
    if compared is not None:
        door = served("compare", **compared, token=token)
    else:
        door = served("" if review else place(run), token=token)
    address = f"http://{shown_host}:{bound.getsockname()[1]}{door}"
    err.print(marked("[bold]{}[/] at {}  (Ctrl-C ends)", run.name, address), soft_wrap=True)
    if open_browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    # No access log: it would hold the token.
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, http=TimedProtocol)
    uvicorn.Server(config).run(sockets=[bound])


def _export(ledger: Ledger, run: Run, out: Path) -> None:
    from tracejury.console.outputs import need_output_folder
    from tracejury.console.progress import progress
    from tracejury.console.screen import err
    from tracejury.console.viewer import publish

    need_output_folder(out)

    with progress("pages") as bar:
        count = publish(ledger, run, out, report_progress=bar.update)
    err.print(f"{count} pages -> {out / 'index.html'}", soft_wrap=True)


def _needs_viewer() -> None:
    try:
        import fastapi  # noqa: F401
        import jinja2  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error.name} is missing: pip install 'tracejury[viewer]'") from error
