// The page: lists, totals, controls and keys.
const video = $("video");
const KEYS = [
  ["Space", "play or pause"], ["← →", "one frame back or forward"], [", .", "one second back or forward"], ["j l", "five seconds back or forward"],
  ["p n", "previous or next action"], ["P N", "previous or next answer of the model"], ["?", "this list"], ["Esc", "close it"],
];

function draw() {
  drawLanes(); drawCurve();
  if (!$("pitch").hidden) drawPitch();
  if (!$("picture").hidden) drawPicture();
  listExpected();
  $("half").textContent = state.part.name; $("clock").textContent = clock(state.nowMs);
  const ball = ballAt(state.nowMs);
  for (const team of [0, 1]) $(`team-${team}`).classList.toggle("has-ball", ball === team);
  $("scrub").value = state.nowMs; $("scrub").setAttribute("aria-valuetext", clock(state.nowMs));
}

// A notice over the picture; none if empty.
function overlay(what) { $("nothing").textContent = what; $("nothing").hidden = !what; }

// An element that holds this text or these children: nothing from a file is ever read as HTML.
function element(kind, content, className = "") {
  const made = document.createElement(kind);
  made.className = className; made.append(...[content].flat());
  return made;
}

function jumpTo(text, timeMs) {
  const button = element("button", text);
  button.type = "button"; button.onclick = () => { play(false); go(timeMs); };
  return button;
}

// ---- What is expected

// The list of this moment. It is made anew only if it says something else, to keep a button that is being pressed.
function listExpected() {
  const answer = answerAt(state.nowMs), found = verdicts(answer), rows = [];
  const expected = (answer?.expected ?? []).filter(isShown).sort((a, b) => a.t - b.t);
  const said = expected.map((one) => verdictOf(one, found.get(one), answer)), same = JSON.stringify([expected, said, match.teams]);
  if (same !== $("expected").dataset.shown) {
    $("expected").dataset.shown = same; $("silent").hidden = expected.length > 0;
    $("silent").textContent = answer ? "Nothing passes its minimum." : match.live ? "Nothing yet." : "There is no answer for this moment.";
    $("expected").replaceChildren(...expected.map((one, index) => expectedRow(one, said[index])));
  }
  [...$("expected").children].forEach((row, index) => { row.querySelector(".when").textContent = whenOf(expected[index]); });
}

const whenOf = (one) => one.t >= state.nowMs ? `in ${seconds(one.t - state.nowMs)}` : `${seconds(state.nowMs - one.t)} ago`;

function expectedRow(one, [how, said]) {
  const swatch = element("span", "", "swatch"), usual = one.usual >= WORTH_SAYING ? `, ${Math.round(one.usual)} times the usual` : "";
  swatch.style.background = colour(one.c);
  const first = element("div", [swatch, jumpTo(match.classes[one.c], one.t), " ", element("span", "", "when"), " ", element("b", percent(one.p)), usual]);
  const team = one.team === undefined ? "" : match.teams?.[one.team] ?? "";
  const second = element("div", [element("span", team, "soft"), team && said ? " · " : "", element("span", said, how)], "second");
  return element("li", team || said ? [first, " ", second] : first);
}

// [class of style, words]: what became of an anticipation, as far as that is known.
function verdictOf(one, verdict, answer) {
  if (!verdict || (verdict.how !== "hit" && !isSettled(answer))) return ["", ""];
  if (verdict.how === "hit") return ["hit", "✓ it came"];
  if (verdict.how === "never") return ["miss", "✗ it did not come"];
  const lateMs = verdict.label.t - one.t;
  return ["miss", `✗ ${match.classes[one.c].toLowerCase()} came ${seconds(Math.abs(lateMs))} ${lateMs < 0 ? "earlier" : "later"}`];
}

// ---- How often it was right, and moments to look at

function listTotals() {
  const sum = totals(), n = (count) => count.toLocaleString("en"), some = (count, noun) => `${n(count)} ${noun}${count === 1 ? "" : "s"}`, share = (part, whole) => percent(part / Math.max(whole, 1));
  const fact = (figure, text) => element("li", [element("b", figure), ` ${text}`]);
  if (!sum) { $("right").replaceChildren(element("li", "This match has no labels: give its feed or labels as a further file.")); return; }
  if (!sum.answers) { $("right").replaceChildren(element("li", "Nothing has come yet.")); return; }
  const facts = sum.made ? [
    fact(share(sum.hit, sum.made), `of ${some(sum.made, "anticipation")} came within 1 s (${n(sum.hit)})`),
    fact(share(sum.off, sum.made), `came earlier or later in the 5 s (${n(sum.off)})`),
    fact(share(sum.never, sum.made), `did not come (${n(sum.never)})`),
  ] : [element("li", "Nothing passed its minimum.")];
  if (sum.came) facts.push(fact(share(sum.named, sum.came), `of ${some(sum.came, "action")} that came were named (${n(sum.named)})`));
  $("right").replaceChildren(...facts, element("li", `${some(sum.answers, "answer")}, ${n(sum.silent)} of which expected nothing`, "soft"));
}

function listMoments() {
  const labels = state.part.labels, unit = state.part.answers.some((answer) => answer.chances) ? "within 5 s" : "confidence";
  const hasShot = (answer) => between(labels, answer.now, answer.now + FUTURE_MS).some((label) => label.c === SHOT);
  const came = (answer) => !labels ? "" : hasShot(answer) ? element("span", " ✓ it came", "hit") : isSettled(answer) ? element("span", " ✗ it did not come", "miss") : "";
  const of = (team) => match.teams?.[team] ? ` (${match.teams[team]})` : "";
  const fill = (list, rows, none) => $(list).replaceChildren(...(rows.length ? rows.map((row) => element("li", row)) : [element("li", none)]));
  fill("dangers", dangers().map((answer) => [jumpTo(`${shortClock(answer.now)} Shot ${percent(chance(answer, SHOT))} ${unit}`, answer.now), of(answer.ball), came(answer)]), "No shot was likely.");
  // Two seconds before the action, so that it is still to come.
  fill("surprises", surprises().map(({ label, said }) => [jumpTo(`${shortClock(label.t)} ${match.classes[label.c]}, ${said ? `${percent(said)} expected` : "not expected"}`, Math.max(0, label.t - 2000)), of(label.team)]),
    labels ? "Nothing has surprised it." : "Without labels, nobody knows.");
}

function refresh() { listTotals(); listMoments(); draw(); }

// ---- Going about

// Stop following: what comes in meanwhile does not move what is shown.
function exitLive() {
  state.following = false; $("live").hidden = !match.live; $("play").textContent = state.playing ? "Pause" : "Play";
}

function go(ms) {
  exitLive();
  state.nowMs = Math.min(Math.max(0, Math.round(ms / FRAME_MS) * FRAME_MS), state.part.lengthMs);
  if (!video.hidden && Math.abs(video.currentTime * 1000 - state.nowMs) > FRAME_MS / 2) video.currentTime = (state.nowMs + FRAME_MS / 4) / 1000;
  draw();
}

// To the nearest of some times before (-1) or after (1) the moment that is shown, which stands on a frame.
function step(times, direction) {
  const next = direction > 0 ? times.find((t) => t > state.nowMs + FRAME_MS / 2) : times.findLast((t) => t < state.nowMs - FRAME_MS / 2);
  play(false);
  if (next !== undefined) go(next);
}

const stepAction = (direction) => step(state.part.seen.filter((one) => state.shown.has(one.c)).map((one) => one.t), direction);
const stepAnswer = (direction) => step(state.part.answers.map((answer) => answer.now), direction);
const stepTime = (ms) => { play(false); go(state.nowMs + ms); };

function play(on) {
  if (state.following) { exitLive(); return; }
  state.playing = on; $("play").textContent = on ? "Pause" : "Play"; state.before = performance.now();
  if (!video.hidden) { if (on) video.play().catch(() => play(false)); else video.pause(); }
  if (on) requestAnimationFrame(tick);
}

function tick(now) {
  if (!state.playing) return;
  state.nowMs = video.hidden ? state.nowMs + now - state.before : Math.floor(video.currentTime * 1000 / FRAME_MS) * FRAME_MS;
  state.before = now;
  if (state.nowMs >= state.part.lengthMs) { state.nowMs = state.part.lengthMs; play(false); if (match.live) goLive(); }
  draw();
  if (state.playing) requestAnimationFrame(tick);
}

function choosePart(index) {
  state.part = match.parts[index]; lengthen(state.part, 0);
  play(false); listTotals(); listMoments(); go(state.part.answers[0]?.now ?? 0);
  $("status").textContent = `${state.part.answers.length.toLocaleString("en")} answers, ${shortClock(state.part.lengthMs)} of ${state.part.name.toLowerCase() || "football"}`;
}

function clickLanes(event) {
  const box = $("lanes").getBoundingClientRect(), { x } = lanesGeometry(box.width, box.height), at = event.clientX - box.left;
  const marks = [...pastOf(state.nowMs), ...(answerAt(state.nowMs)?.expected ?? []).filter(isShown)].map((one) => [Math.abs(x(one.t) - at), one.t]);
  const [near] = marks.sort((a, b) => a[0] - b[0]);
  if (near && near[0] < 12) { play(false); go(near[1]); }
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (event.target.matches("input, select, textarea") && event.key !== "?") return;
  const keys = {
    ArrowLeft: () => stepTime(-FRAME_MS), ArrowRight: () => stepTime(FRAME_MS), ",": () => stepTime(-1000), ".": () => stepTime(1000),
    j: () => stepTime(-FUTURE_MS), l: () => stepTime(FUTURE_MS), p: () => stepAction(-1), n: () => stepAction(1),
    P: () => stepAnswer(-1), N: () => stepAnswer(1), "?": () => $("keys").showModal(),
  };
  if (event.key === " " && !event.target.matches("button")) keys[" "] = () => play(!state.playing);
  if (event.key in keys) { keys[event.key](); event.preventDefault(); }
}

function saveShown() {
  const from = state.nowMs - PAST_MS, to = state.nowMs + FUTURE_MS, within = (one) => one.t >= from && one.t <= to;
  const shown = { source: match.title, part: state.part.name, from_ms: from, now_ms: state.nowMs, to_ms: to,
    seen: pastOf(state.nowMs).filter((one) => state.shown.has(one.c)).map((one) => ({ time_ms: one.t, action: match.labels[one.c] })),
    expected: (answerAt(state.nowMs)?.expected ?? []).filter(isShown).filter(within).map((one) => ({ time_ms: one.t, action: match.labels[one.c], confidence: one.p })) };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(shown, null, 1)], { type: "application/json" }));
  link.download = `playahead-${clock(state.nowMs).replace(":", "-")}.json`; link.click(); URL.revokeObjectURL(link.href);
}

// ---- Setting up

function nameTeams() {
  const acted = (one) => one.team !== undefined;
  const known = match.teams && match.parts.some((part) => part.seen.some(acted) || (!match.live && part.answers.some((answer) => answer.expected.some(acted))));
  for (const team of [0, 1]) { $(`team-${team}`).hidden = !known; $(`team-${team}-name`).textContent = known ? match.teams[team] : ""; }
}

function listClasses() {
  match.classes.forEach((name, c) => {
    const box = element("input", ""), swatch = element("span", "", "swatch");
    box.type = "checkbox"; box.checked = true; swatch.style.background = colour(c);
    box.onchange = () => { if (box.checked) state.shown.add(c); else state.shown.delete(c); refresh(); };
    $("classes").append(element("label", [box, swatch, name]));
  });
  const bounds = match.minimums?.map((least, c) => `${match.classes[c].toLowerCase()} ${percent(least)}`);
  $("minimums").textContent = bounds ? `At 0 %, everything in the file is shown. It already keeps to a minimum for each class: ${bounds.join(", ")}.`
    : `At 0 %, everything that the ${match.live ? "session" : "file"} lists is shown. It already keeps to a minimum for each class.`;
}

function showStage() {
  if (match.video) {
    video.hidden = false; video.src = match.video;
    video.onerror = () => { video.hidden = true; overlay(`The video ${match.videoName} cannot be played: is it still beside this page, and does this browser know its format?`); draw(); };
    video.onseeked = draw; video.onended = () => play(false);
  } else if (match.live) overlay("Waiting for the session");
  else if (match.parts.some((part) => part.seen.some(hasPlace))) $("pitch").hidden = false;
  else overlay("No video, and no places: only what was seen and expected.");
}

function describeLegend() {
  const part = match.parts[0], known = Boolean(part.labels), some = match.live || part.answers.some((answer) => answer.chances);
  $("lanes-legend").textContent = `Left of now: what was seen in the last 30 s. Right: what is expected in the next 5 s, a second drawn ${(6 * (1 - match.pastShare) / match.pastShare).toFixed(0)} times as wide. Bar: confidence.${some ? " Shade: rate." : ""}${known ? " Ring: what happened." : ""}`;
  $("curve-what").textContent = some ? "within 5 s" : "confidence (this file holds no chances)";
  for (const mark of document.querySelectorAll(".real")) mark.hidden = !known;
}

function listen() {
  const on = (name, what) => { $(name).onclick = what; };
  on("play", () => play(!state.playing)); on("back", () => stepTime(-FRAME_MS)); on("forward", () => stepTime(FRAME_MS));
  on("action-back", () => stepAction(-1)); on("action-forward", () => stepAction(1)); on("answer-back", () => stepAnswer(-1)); on("answer-forward", () => stepAnswer(1));
  on("live", goLive); on("lanes", clickLanes); on("export", saveShown); on("help", () => $("keys").showModal());
  $("min-confidence").oninput = () => { state.minConfidence = Number($("min-confidence").value); $("min-confidence-shown").textContent = percent(state.minConfidence); refresh(); };
  $("scrub").oninput = () => { const to = Number($("scrub").value); play(false); go(to); };
  $("part").onchange = () => choosePart(Number($("part").value));
  addEventListener("keydown", onKey); addEventListener("resize", draw); matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

// Hide everything but the notice: there is no match.
function nothingElse() {
  for (const section of document.querySelectorAll("main section:not(#stage), #board")) section.hidden = true;
}

function begin() {
  match.parts.forEach((part, index) => $("part").add(new Option(part.name, index)));
  $("part-label").hidden = match.parts.length < 2;
  $("key-list").append(...KEYS.map(([key, what]) => element("tr", [element("th", key), element("td", what)])));
  listClasses(); showStage(); describeLegend(); nameTeams(); listen();
  choosePart(0);
  if (match.live) { goLive(); $("status").textContent = "Connecting …"; follow(); }
}

if (match.parts.length) begin(); else { overlay("Nothing was anticipated: there is nothing to show."); $("status").textContent = ""; nothingElse(); }
