"""The web application: its routes, their parameters, and its error pages."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.exc import NoResultFound
from starlette.types import ASGIApp

from tracejury.console.viewer import reviewing
from tracejury.console.viewer.finding import side
from tracejury.console.viewer.guard import Guard
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.pages import Pages
from tracejury.console.viewer.rendering import place, render, served
from tracejury.console.viewer.static_files import static_file
from tracejury.ledger import Ledger, Review, Run, StepFilter, TraceFilter
from tracejury.reports import RELATION_CHOICES, VERDICT_CHOICES
from tracejury.traces import ErrorType


def create_app(
    ledger: Ledger,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    allowed: frozenset[str] = frozenset(),
    first: Run | None = None,
    review: Run | None = None,
) -> ASGIApp:
    """Return the viewer over a ledger, guarded.

    Args:
        ledger: The ledger to show; the viewer writes nothing but reviews and notes.
        host: The address that the server listens on.
        token: Required of every request; needed beyond loopback.
        allowed: Further host names that the viewer answers under.
        first: The run that is opened first; its figures are computed ahead.
        review: Serve the blind review of this run and no other page: no verdicts, no run's name, no key.

    Raises:
        ValueError: `host` is not loopback and there is no token.
    """
    view = LedgerView(ledger)
    app = FastAPI(title="tracejury", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(view, served)
    _failures(app, pages)
    if review is None:
        _reading(app, view, pages)
        _lists(app, view, pages)
        _noting(app, view)
        _downloads(app, view)
    _static(app)
    _reviewing(app, view, review)
    if review is not None:
        door = served(f"runs/{review.id}/review")
        app.get("/")(lambda: RedirectResponse(door))
    if first is not None:
        # Counting a million steps takes seconds on cold files, so it begins while the browser opens.
        threading.Thread(target=_count, args=(pages, first), name="tracejury-count", daemon=True).start()
    return Guard(app, host, token, allowed)


def _count(pages: Pages, run: Run) -> None:
    pages.run(run)
    pages.judges(run)
    pages.sources(run, {})


def _failures(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(LookupError)
    @app.exception_handler(NoResultFound)
    async def missing(request: Request, error: Exception) -> Response:
        text = "No such trace in this run." if isinstance(error, NoResultFound) else str(error.args[0])
        return HTMLResponse(pages.problem("Not found", text), status_code=404)

    @app.exception_handler(404)
    async def unknown(request: Request, error: Exception) -> Response:
        return HTMLResponse(pages.problem("Not found", "There is no page at this address."), status_code=404)

    @app.exception_handler(ValidationError)
    async def wrong(request: Request, error: ValidationError) -> Response:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return HTMLResponse(pages.problem("Not understood", problems), status_code=400)


def _reading(app: FastAPI, view: LedgerView, pages: Pages) -> None:
    @app.get("/", response_class=HTMLResponse)
    def runs() -> str:
        return pages.runs()

    @app.get("/runs/{run}", response_class=HTMLResponse)
    def run_page(run: str) -> str:
        return pages.run(view.ledger.run(run))

    @app.get("/runs/{run}/traces", response_class=HTMLResponse)
    def traces(run: str, request: Request) -> str:
        return pages.traces(view.ledger.run(run), _filters(request))

    @app.get("/runs/{run}/traces/{trace}", response_class=HTMLResponse)
    def trace(run: str, trace: str, request: Request, beside: str = "", beside_run: str = "") -> str:
        opened = view.ledger.run(run)
        if beside:
            return pages.arms(opened, trace, beside, view.ledger.run(beside_run) if beside_run else None)
        return pages.trace(opened, trace, _filters_of_list(request))

    @app.get("/runs/{run}/traces/{trace}/timeline", response_class=HTMLResponse)
    def trace_timeline(run: str, trace: str) -> str:
        return pages.timeline(view.ledger.run(run), trace)

    @app.get("/runs/{run}/traces/{trace}/steps/{number}", response_class=HTMLResponse)
    def step(run: str, trace: str, number: Annotated[int, Path(ge=1, lt=2**31)], request: Request) -> str:
        return pages.step(view.ledger.run(run), trace, number, _filters_of_list(request))

    @app.get("/runs/{run}/traces/{trace}/steps/{number}/card.{form}")
    def card(
        run: str, trace: str, number: Annotated[int, Path(ge=1, lt=2**31)], form: Literal["html", "md"]
    ) -> Response:
        text = pages.card(view.ledger.run(run), trace, number, form)
        name = f'attachment; filename="card-{number}.{form}"'
        media = "text/html" if form == "html" else "text/markdown"
        return Response(text, media_type=media, headers={"Content-Disposition": name})


def _lists(app: FastAPI, view: LedgerView, pages: Pages) -> None:
    @app.get("/runs/{run}/steps", response_class=HTMLResponse)
    def steps(run: str, request: Request) -> str:
        return pages.steps(view.ledger.run(run), _step_filters(request))

    @app.get("/steps", response_class=HTMLResponse)
    def search(request: Request) -> str:
        return pages.search(_step_filters(request))

    @app.get("/compare", response_class=HTMLResponse)
    def comparison(a: str, b: str) -> str:
        return pages.comparison(side(view, a), side(view, b))

    @app.get("/runs/{run}/judges", response_class=HTMLResponse)
    def judges(run: str) -> str:
        return pages.judges(view.ledger.run(run))

    @app.get("/runs/{run}/judges/disagreements", response_class=HTMLResponse)
    def disagreements(run: str, request: Request) -> str:
        return pages.disagreements(view.ledger.run(run), request.query_params)

    @app.get("/runs/{run}/sources", response_class=HTMLResponse)
    def sources(run: str, request: Request) -> str:
        return pages.sources(view.ledger.run(run), request.query_params)

    @app.get("/runs/{run}/sources/{evidence}", response_class=HTMLResponse)
    def source(run: str, evidence: str, request: Request) -> str:
        return pages.source(view.ledger.run(run), evidence, request.query_params)


def _filters(request: Request) -> TraceFilter:
    return TraceFilter.model_validate(_parameters(request))


def _step_filters(request: Request) -> StepFilter:
    return StepFilter.model_validate(_parameters(request))


def _filters_of_list(request: Request) -> TraceFilter | StepFilter:
    """Return the filter of the list that the reader came from."""
    return _step_filters(request) if request.query_params.get("list") == "steps" else _filters(request)


def _parameters(request: Request) -> dict[str, str]:
    """Return the filter that an address carries; an empty field of a form is no field."""
    others = ("beside", "beside_run", "list")
    return {name: value for name, value in request.query_params.items() if value != "" and name not in others}


def _noting(app: FastAPI, view: LedgerView) -> None:
    @app.post("/runs/{run}/traces/{trace}/steps/{number}/note")
    def save_note(
        request: Request,
        run: str,
        trace: str,
        number: Annotated[int, Path(ge=1, lt=2**31)],
        text: str = Form("", max_length=8000),
    ) -> Response:
        opened = view.ledger.run(run)
        deliberation = view.steps.deliberation(opened, trace, number - 1)
        if deliberation is None:
            raise LookupError(f"step {number} of this trace has no deliberation yet")
        view.notes.save(opened, deliberation.step.id, text)
        if request.headers.get("accept") == "application/json":
            return JSONResponse({"saved": True})
        query = dict(request.query_params)
        return RedirectResponse(served(f"{place(opened)}/traces/{trace}/steps/{number}", **query), status_code=303)


def _static(app: FastAPI) -> None:
    @app.get("/static/{name}")
    def static(name: str) -> Response:
        text, kind = static_file(name)
        return Response(text, media_type=kind)


def _reviewing(app: FastAPI, view: LedgerView, blind: Run | None) -> None:
    def page(template: str, run: Run, **values: object) -> str:
        return render(template, served, static=False, run=shown(run), blind=blind is not None, **values)

    def shown(run: Run) -> Run:
        """Return the run as an expert may see it: a name may say which model is the student."""
        return run.model_copy(update={"name": run.id}) if blind is not None else run

    def opened_run(ref: str) -> Run:
        if blind is not None and ref != blind.id:
            raise LookupError("only the review is open here")
        return view.ledger.run(ref)

    @app.get("/runs/{run}/review", response_class=HTMLResponse)
    def begin(run: str) -> str:
        opened = opened_run(run)
        size = len(reviewing.sheet(view, opened).items)
        return page("review_start.html", opened, size=size, experts=view.reviews.experts(opened))

    @app.post("/runs/{run}/review")
    def enter(run: str, expert: str = Form(max_length=80)) -> Response:
        name = " ".join(expert.replace("/", " ").split()) or "expert"
        return RedirectResponse(served(f"{place(shown(opened_run(run)))}/review/{name}"), status_code=303)

    @app.get("/runs/{run}/review/{expert}", response_class=HTMLResponse)
    def review(run: str, expert: str, at: int | None = None) -> str:
        opened = opened_run(run)
        items = reviewing.sheet(view, opened).items
        answers = {r.step_id: r for r in view.reviews.of(opened, expert)}
        open_ones = [i for i, item in enumerate(items) if not (item.step_id in answers and answers[item.step_id].label)]
        left = open_ones[0] if open_ones else None
        number = min(max(at if at is not None else left or 0, 0), len(items) - 1)
        case = reviewing.blinded(view, opened, items[number])
        return page(
            "review.html", opened, expert=expert, case=case, at=number, size=len(items), left=left,
            done=len(items) - len(open_ones), answer=answers.get(items[number].step_id),
            error_types=[e.value for e in ErrorType], quoted=items[number].quoted, verdicts=VERDICT_CHOICES,
            relations=RELATION_CHOICES,
        )  # fmt: skip

    @app.post("/runs/{run}/review/{expert}")
    def save(
        request: Request,
        run: str,
        expert: str,
        step: str = Form(max_length=32),
        label: str = Form(""),
        error_type: str = Form(""),
        relation: str = Form(""),
        note: str = Form("", max_length=4000),
        at: int = 0,
    ) -> Response:
        opened = opened_run(run)
        items = reviewing.sheet(view, opened).items
        if step not in {item.step_id for item in items}:
            raise LookupError("this step is not on the review sheet")
        wrong = error_type if label == "error" else ""
        values = {"expert": expert, "step_id": step, "label": label or None, "error_type": wrong or None, "note": note}
        view.reviews.save(opened, Review.model_validate(values | {"relation": relation or None}))
        if request.headers.get("accept") == "application/json":
            return JSONResponse({"saved": True})
        further = min(at + 1, len(items) - 1)
        return RedirectResponse(served(f"{place(shown(opened))}/review/{expert}", at=further), status_code=303)


def _downloads(app: FastAPI, view: LedgerView) -> None:
    @app.get("/runs/{run}/returned/{expert}")
    def download_answers(run: str, expert: str) -> Response:
        opened = view.ledger.run(run)
        return _download(reviewing.answers_json(view, opened, expert), f"review-{opened.id}.json")

    @app.get("/runs/{run}/returned")
    def download_key(run: str) -> Response:
        opened = view.ledger.run(run)
        return _download(reviewing.sheet(view, opened).model_dump_json(indent=1), "key.json")


def _download(text: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(text, media_type="application/json", headers={"Content-Disposition": disposition})
