"""Routes of the server."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from playahead.domain.grid import OBSERVATION_MS
from playahead.live.page.page import live_page
from playahead.live.server.by_ray import RaySession, RaySessions
from playahead.live.server.clips import Clips
from playahead.live.server.config import ServeConfig
from playahead.live.server.requests import (
    AnswerOut,
    Limits,
    Problem,
    QuestionBody,
    RowsBody,
    SessionBody,
    SessionOut,
    TakenOut,
    add_problems,
    described,
    described_body,
    kind_of,
    read_json,
)
from playahead.live.server.sessions import LocalSession, LocalSessions, Metrics, Models
from playahead.live.server.sources import allowed_source
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Reports, Tick

Session = LocalSession | RaySession
Sessions = LocalSessions | RaySessions
_EVERYWHERE = (403, 421, 429)
_METRICS = (*_EVERYWHERE, 401, 503)
_ALWAYS = (*_EVERYWHERE, 400, 401, 408, 413, 415, 422, 503)
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold small pieces back
_BOUNDARY = "picture"
_BEGINNING = ThreadPoolExecutor(4, thread_name_prefix="begin")  # looks names up, and may wait for it
_ANSWERING = ThreadPoolExecutor(2, thread_name_prefix="answer")
SessionId = Annotated[str, Path(max_length=64)]


def build_app(config: ServeConfig) -> FastAPI:
    """Build the app. Whoever runs it calls ``app.state.close`` at the end.

    Raises:
        InputError: weights that cannot be read.
    """
    models, metrics = Models(config), Metrics()
    is_ray = config.engine == "ray"
    sessions = RaySessions(config, metrics) if is_ray else LocalSessions(config, models, metrics)
    app = FastAPI(title="playahead", version=version("playahead"), redoc_url=None)
    clips = Clips(models)
    app.state.sessions = sessions

    def close() -> None:
        clips.close()
        sessions.close()

    app.state.close = close
    add_problems(app, lambda status: metrics.problems.labels(str(status)).inc())
    _add_pages(app, sessions)
    _add_questions(app, models, clips)
    _add_sessions(app, config, sessions, metrics)
    app.add_middleware(Limits, config=config)
    return app


def _add_pages(app: FastAPI, sessions: Sessions) -> None:
    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz", summary="Whether the server runs", responses=described(403, 421))
    async def healthz() -> dict[str, str]:
        return {"status": "running"}

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz", summary="Whether the model is loaded and sessions can begin", responses=described(*_EVERYWHERE))
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses=described(*_METRICS))
    def figures() -> Response:
        return Response(sessions.figures(), media_type=CONTENT_TYPE_LATEST)

    @app.head("/watch/{session}", include_in_schema=False)
    @app.get(
        "/watch/{session}",
        summary="A page that follows a session",
        response_class=HTMLResponse,
        responses=described(403, 421, 422),
    )
    async def watch(session: Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_-]+$")]) -> HTMLResponse:
        policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
        page = live_page("A running match", f"/v1/sessions/{session}")
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _add_questions(app: FastAPI, models: Models, clips: Clips) -> None:
    video = {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}

    @app.post(
        "/v1/anticipate",
        summary="Anticipate after these rows, these features or this clip",
        responses=described(*_ALWAYS),
        response_model_exclude_none=True,
        openapi_extra=described_body(QuestionBody, **video),
    )
    async def anticipate(request: Request) -> AnswerOut:
        if kind_of(request).startswith("video/"):
            answer = await clips.answer(request.stream(), QuestionBody().min_confidence)
        else:
            question = await read_json(request, QuestionBody)
            answer = await asyncio.get_running_loop().run_in_executor(_ANSWERING, _answer_to, question, models)
        return AnswerOut.model_validate(answer.as_json())


def _add_sessions(app: FastAPI, config: ServeConfig, sessions: Sessions, metrics: Metrics) -> None:
    @app.post(
        "/v1/sessions",
        status_code=201,
        summary="Begin a session",
        responses=described(*_ALWAYS),
        openapi_extra=described_body(SessionBody),
    )
    async def begin(request: Request, response: Response) -> SessionOut:
        body = await read_json(request, SessionBody)
        begun = await asyncio.get_running_loop().run_in_executor(_BEGINNING, _begun, body, config, sessions)
        response.headers["Location"] = f"/v1/sessions/{begun.id}"
        return _shown(begun)

    @app.get("/v1/sessions/{session}", summary="State of a session", responses=described(*_ALWAYS, 404))
    def look(session: SessionId) -> SessionOut:
        return _shown(sessions.find(session))

    @app.delete("/v1/sessions/{session}", status_code=204, summary="End a session", responses=described(*_ALWAYS, 404))
    def end(session: SessionId) -> None:
        sessions.remove(session)

    @app.post(
        "/v1/sessions/{session}/rows",
        status_code=202,
        summary="Post rows as they happen: all are taken, or none",
        responses=described(*_ALWAYS, 404, 409),
        openapi_extra=described_body(RowsBody),
    )
    async def rows(session: SessionId, request: Request) -> TakenOut:
        body = await read_json(request, RowsBody)
        await run_in_threadpool(lambda: sessions.find(session).put(body.rows))
        metrics.rows.inc(len(body.rows))
        return TakenOut(taken=len(body.rows))

    @app.get(
        "/v1/sessions/{session}/events",
        summary="Answers as they come, as server-sent events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **described(*_ALWAYS, 404)},
    )
    def events(session: SessionId, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        number = (last_event_id or "0").strip()
        if not number.isascii() or not number.isdecimal() or len(number) > 12:
            raise Problem(422, "Last-Event-ID: is not the number of an event")
        stream = _stream(sessions.find(session), int(number))
        return StreamingResponse(stream, media_type="text/event-stream", headers=_UNBUFFERED)

    @app.get(
        "/v1/sessions/{session}/pictures",
        summary="Pictures of a video as they are shown, one JPEG after the other",
        response_class=StreamingResponse,
        responses={200: {"content": {"multipart/x-mixed-replace": {}}}, **described(*_ALWAYS, 404, 409)},
    )
    def pictures(session: SessionId) -> StreamingResponse:
        watched = sessions.find(session)
        if watched.kind != "video":
            raise Problem(409, "this session watches a feed")
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        return StreamingResponse(_parts(watched), media_type=kind, headers=_UNBUFFERED)


async def _parts(session: Session) -> AsyncIterator[bytes]:
    """Pictures as parts of one endless document."""
    after, over = 0, False
    while not over:
        pictures, over = await session.pictures(after)
        for number, picture in pictures:
            after = number
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n"
            yield f"{head}Time-Ms: {picture.label}\r\n\r\n".encode() + picture.data + b"\r\n"
    yield f"--{_BOUNDARY}--\r\n".encode()


async def _stream(session: Session, after: int) -> AsyncIterator[str]:
    """Events in the format of the standard; an event of its own says which ones were lost."""
    yield "retry: 2000\n\n"
    over = False
    while not over:
        events, over = await session.wait(after)
        if not events and not over:
            yield ": nothing new\n\n"
        for number, event in events:
            if number > after + 1:
                yield f'event: lost\ndata: {{"from":{after + 1},"to":{number - 1}}}\n\n'
            after = number
            yield f"id: {number}\nevent: {event.label}\ndata: {event.data.decode()}\n\n"


def _begun(body: SessionBody, config: ServeConfig, sessions: Sessions) -> Session:
    if body.kind == "feed":
        if body.source is not None:
            raise Problem(422, "source: a feed's rows are posted; only a video has one")
        reports = replace(body.reports or Reports(frozenset()), teams=body.teams)
        return sessions.of_feed(body.name, body.speed, body.min_confidence, reports)
    if body.source is None:
        raise Problem(422, "source: a video needs one")
    return sessions.of_video(allowed_source(body.source, config), body.speed, body.min_confidence)


def _answer_to(question: QuestionBody, models: Models) -> Answer:
    if (question.rows is None) == (question.features is None):
        raise Problem(422, "body: needs either rows or features")
    if question.rows is None:
        return _of_features(question, models)
    session = FeedSession(models.feed, question.min_confidence)
    if question.reports is not None:
        session.push(question.reports)
    # Only the latest half counts; without a moment, answer a full second after its last row.
    latest_half = max((line.half for line in question.rows), default=1)
    lines = [line for line in question.rows if line.half == latest_half]
    times_ms = [line.now_ms if isinstance(line, Tick) else line.t_ms + line.delay_ms for line in lines]
    now_ms = question.now_ms or max([*times_ms, 0]) // 1000 * 1000 + 1000
    session.push(Tick(latest_half, 0))
    for line in lines:
        session.push(line)
    return session.answer_at(now_ms)


def _of_features(question: QuestionBody, models: Models) -> Answer:
    predictor = models.feed
    try:
        windows_WNF = np.asarray(question.features, np.float32)
    except ValueError:
        raise Problem(422, "features: the lists are not of one length") from None
    shape = predictor.reading.shape
    if windows_WNF.shape != shape or not np.isfinite(windows_WNF).all():
        raise Problem(422, f"features: {windows_WNF.shape} are not {shape} finite numbers")
    # Six windows, or one moment, are one example.
    predictions = predictor.answer(predictor.encode(windows_WNF), np.arange(len(windows_WNF))[None])
    (anticipations,) = predictor.decoder().anticipations(predictions, question.min_confidence)
    expected = [one.at(OBSERVATION_MS, OBSERVATION_MS) for one in anticipations]
    intensity_ORC = predictions.intensity()
    (chance_HC,) = predictor.chance_map(intensity_ORC)
    return Answer(0, OBSERVATION_MS, OBSERVATION_MS, (), expected, (), intensity_ORC[0], chance_HC=chance_HC)


def _shown(session: Session) -> SessionOut:
    about: dict[str, Any] = {name: getattr(session, name) for name in ("id", "kind", "source", "over")}
    url, page = f"/v1/sessions/{session.id}/events", f"/watch/{session.id}"
    return SessionOut(events=session.number, url=url, page=page, **about)
