// The page of `playahead view`. Times are milliseconds from the start of the part that is shown.
const match = JSON.parse(document.getElementById("match").textContent);
const $ = (name) => document.getElementById(name);
const PAST_MS = 30000, FUTURE_MS = 5000, FRAME_MS = 40, NEAR_MS = 1000;
const PICTURES_MS = 300000, JUMP_MS = 15000, STALE_MS = 2000;
const video = $("video");
const state = { part: match.parts[0], nowMs: 0, playing: false, minConfidence: 0.3, shown: new Set(match.classes.map((_, c) => c)), before: 0, following: false, pictures: [], drawn: null, glided: 0, over: false, token: "" };

const colour = (c) => match.colours[c];
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clock = (ms) => `${Math.floor(ms / 60000)}:${(ms % 60000 / 1000).toFixed(2).padStart(5, "0")}`;
const percent = (share) => `${Math.round(100 * share)} %`;

// The latest answer made at or before a moment, as long as it looks ahead of it, or null.
function answerAt(nowMs) {
  const answers = state.part.answers;
  let low = 0, high = answers.length;
  while (low < high) { const middle = (low + high) >> 1; if (answers[middle].now <= nowMs) low = middle + 1; else high = middle; }
  const answer = answers[low - 1];
  return answer && nowMs - answer.now <= FUTURE_MS ? answer : null;
}

const isShown = (one) => one.p >= state.minConfidence && state.shown.has(one.c);

// Anticipations of an answer that came true -> the action: one of the same class within a second, after the observation
// ended. Each action counts once; taking anticipations and actions in time order matches as many as possible.
function named(answer) {
  const found = new Map(), taken = new Set();
  for (const one of (answer?.expected ?? []).filter(isShown).sort((a, b) => a.t - b.t)) {
    const near = (state.part.labels ?? []).filter((label) => label.c === one.c && Math.abs(label.t - one.t) <= NEAR_MS && label.t > answer.now && !taken.has(label));
    if (!near.length) continue;
    const first = near.reduce((a, b) => b.t < a.t ? b : a);
    found.set(one, first); taken.add(first);
  }
  return found;
}

// Whether it is known if an anticipation came true: not without labels, nor before a live match has come that far.
const isKnown = (one) => Boolean(state.part.labels) && !(match.live && one.t + NEAR_MS > (state.part.answers.at(-1)?.now ?? 0));

// Whether an action lies in the five seconds after an answer.
const isCovered = (label) => { const answer = answerAt(label.t - 1); return answer !== null && label.t - answer.now <= FUTURE_MS; };

function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle";
  return { pen, width, height };
}

// Layout of the lanes: names, the past 30 s, now, the coming 5 s; x maps a time to a place.
function lanesGeometry(width, height) {
  const left = width < 600 ? 74 : 118, nowX = left + (width - left) * match.pastShare, top = 20;
  const lane = (height - top - 4) / match.classes.length;
  const x = (t) => t <= state.nowMs ? nowX - (state.nowMs - t) / PAST_MS * (nowX - left) : nowX + (t - state.nowMs) / FUTURE_MS * (width - nowX - 8);
  return { left, nowX, top, lane, x };
}

function drawLanes() {
  const { pen, width, height } = fitted($("lanes")), { left, nowX, top, lane, x } = lanesGeometry(width, height);
  const ink = style("--ink"), soft = style("--soft"), line = style("--line");
  pen.fillStyle = soft; pen.textAlign = "left"; pen.fillText("last 30 s", left, 10); pen.fillText(state.part.labels && !state.following && width > 600 ? "next 5 s  (○ what happened)" : "next 5 s", nowX + 6, 10);
  match.classes.forEach((name, c) => {
    const y = top + lane * (c + 0.5);
    pen.fillStyle = state.shown.has(c) ? ink : soft; pen.textAlign = "right"; pen.fillText(name, left - 8, y);
    pen.strokeStyle = line; pen.beginPath(); pen.moveTo(left, y); pen.lineTo(width - 8, y); pen.stroke();
  });
  const answer = answerAt(state.nowMs);
  if (answer?.lanes) drawIntensity(pen, answer, top, lane, x);
  for (const seen of pastOf(state.nowMs)) if (state.shown.has(seen.c)) dot(pen, x(seen.t), top + lane * (seen.c + 0.5), Math.min(7, lane * 0.32), colour(seen.c), true);
  if (state.part.labels) for (const label of state.part.labels) {
    if (label.t > state.nowMs && label.t <= state.nowMs + FUTURE_MS && state.shown.has(label.c)) dot(pen, x(label.t), top + lane * (label.c + 0.5), Math.min(7, lane * 0.32), ink, false);
  }
  const coming = (answer?.expected ?? []).filter((one) => isShown(one) && one.t > state.nowMs), came = named(answer);
  for (const one of coming) {
    const outdone = coming.some((other) => other.c === one.c && other.p > one.p && Math.abs(x(other.t) - x(one.t)) < 40);
    drawExpected(pen, one, x(one.t), top + lane * (one.c + 0.5), lane, !outdone, isKnown(one) ? came.has(one) : null);
  }
  pen.strokeStyle = style("--now"); pen.lineWidth = 2; pen.beginPath(); pen.moveTo(nowX, 2); pen.lineTo(nowX, height - 2); pen.stroke(); pen.lineWidth = 1;
  const inWords = (answer?.expected ?? []).filter(isShown).map((one) => `${match.classes[one.c]} in ${((one.t - state.nowMs) / 1000).toFixed(1)} s, ${percent(one.p)}`);
  $("lanes").setAttribute("aria-label", inWords.length ? `Expected: ${inWords.join("; ")}` : "Nothing expected");
}

function drawIntensity(pen, answer, top, lane, x) {
  answer.lanes.forEach((row, c) => {
    if (!state.shown.has(c)) return;
    pen.fillStyle = colour(c); pen.globalAlpha = 0.25;
    row.forEach((perMille, r) => {
      const t = answer.now + r * 160;
      if (t < state.nowMs) return;
      const height = Math.min(1, Math.sqrt(perMille / 120)) * lane * 0.9, from = x(t), to = x(Math.min(t + 160, answer.now + FUTURE_MS));
      pen.fillRect(from, top + lane * (c + 1) - lane * 0.05 - height, Math.max(to - from, 1), height);
    });
    pen.globalAlpha = 1;
  });
}

function drawExpected(pen, one, x, y, lane, hasNumber, right) {
  const height = lane * 0.9 * one.p;
  pen.fillStyle = colour(one.c); pen.fillRect(x - 4, y - height / 2, 8, height);
  if (right !== null) { pen.strokeStyle = style(right ? "--good" : "--bad"); pen.lineWidth = 2; pen.strokeRect(x - 5, y - height / 2 - 1, 10, height + 2); pen.lineWidth = 1; }
  if (hasNumber) { pen.fillStyle = style("--ink"); pen.textAlign = "left"; pen.fillText(percent(one.p), x + 9, y); }
}

function dot(pen, x, y, radius, fill, filled) {
  pen.beginPath(); pen.arc(x, y, radius, 0, 2 * Math.PI);
  if (filled) { pen.fillStyle = fill; pen.fill(); } else { pen.strokeStyle = fill; pen.stroke(); }
}

const pastOf = (nowMs) => state.part.seen.filter((one) => one.t <= nowMs && one.t > nowMs - PAST_MS);

// The whole part in one line. Above: confidence of each answer; below: surprise at what followed.
function drawStrip() {
  const { pen, width, height } = fitted($("strip")), part = state.part, x = (t) => t / Math.max(part.lengthMs, 1) * width;
  const sure = style("--soft"), bad = style("--bad"), middle = height / 2;
  part.answers.forEach((answer) => {
    const best = Math.max(0, ...answer.expected.filter(isShown).map((one) => one.p));
    pen.fillStyle = sure; pen.fillRect(x(answer.now), middle - best * middle, Math.max(1, x(1000)), best * middle);
    if (answer.surprise > 0) { pen.fillStyle = bad; pen.fillRect(x(answer.now), middle + 1, Math.max(1, x(1000)), answer.surprise * (middle - 2)); }
  });
  pen.strokeStyle = style("--now"); pen.lineWidth = 2; pen.beginPath(); pen.moveTo(x(state.nowMs), 0); pen.lineTo(x(state.nowMs), height); pen.stroke(); pen.lineWidth = 1;
  $("strip").setAttribute("aria-label", `The whole ${part.name.toLowerCase()}: how sure the model was, and what surprised it`);
}

function drawPitch() {
  const { pen, width, height } = fitted($("pitch")), scale = Math.min(width / 105, height / 68) * 0.94;
  const left = (width - 105 * scale) / 2, top = (height - 68 * scale) / 2, at = (x, y) => [left + x * 1.05 * scale, top + y * 0.68 * scale];
  pen.fillStyle = "#1f5c33"; pen.fillRect(0, 0, width, height);
  pen.strokeStyle = "#d9e8dc"; pen.strokeRect(left, top, 105 * scale, 68 * scale);
  pen.beginPath(); pen.moveTo(...at(50, 0)); pen.lineTo(...at(50, 100)); pen.stroke();
  pen.beginPath(); pen.arc(...at(50, 50), 9.15 * scale, 0, 2 * Math.PI); pen.stroke();
  for (const [side, deep, wide] of [[0, 16.5, 40.3], [1, 16.5, 40.3], [0, 5.5, 18.3], [1, 5.5, 18.3], [0, -1.5, 7.3], [1, -1.5, 7.3]]) {
    pen.strokeRect(left + (side ? 105 - deep : 0) * scale, top + (34 - wide / 2) * scale, deep * scale, wide * scale);
  }
  const known = pastOf(state.nowMs).filter((one) => one.x !== undefined).slice(-6);
  const places = known.map((one) => at(...(one.team === 1 ? [100 - one.x, 100 - one.y] : [one.x, one.y])));
  known.forEach((one, index) => {
    const place = places[index], last = index === known.length - 1;
    pen.globalAlpha = (index + 2) / (known.length + 1);
    if (index) { pen.beginPath(); pen.moveTo(...places[index - 1]); pen.lineTo(...place); pen.setLineDash([4, 4]); pen.stroke(); pen.setLineDash([]); }
    dot(pen, ...place, last ? 8 : 5, one.team === 1 ? "#ffd166" : "#ffffff", true);
    if (last) { pen.fillStyle = "#fff"; pen.textAlign = "center"; const [px, py] = place; pen.fillText(match.classes[one.c], px, py < 30 ? py + 18 : py - 16); }
  });
  pen.globalAlpha = 1;
}

// Everything expected at this moment in words, for readers without the picture.
function listExpected() {
  const answer = answerAt(state.nowMs), came = named(answer);
  const found = (answer?.expected ?? []).filter(isShown).sort((a, b) => a.t - b.t).map((one) => [one, isKnown(one) ? came.has(one) : null]);
  const same = JSON.stringify(found);
  if (same === $("expected").dataset.shown) return; // keep a button that is being pressed
  $("expected").dataset.shown = same; $("silent").hidden = found.length > 0;
  $("expected").replaceChildren(...found.map(([one, right]) => {
    const line = document.createElement("li"), jump = document.createElement("button");
    jump.type = "button"; jump.textContent = `${match.classes[one.c]} at ${clock(one.t)}, ${percent(one.p)}`;
    jump.onclick = () => go(one.t);
    line.append(jump);
    if (right !== null) { const word = document.createElement("span"); word.className = right ? "hit" : "miss"; word.textContent = right ? " ✓ it came" : " ✗ it did not come"; line.append(word); }
    return line;
  }));
}

// Counts over the part: anticipations that came true, and the share of actions that they named.
function countRight() {
  if (match.live && !state.part.labels.length) { $("right").textContent = "Nothing has come yet."; return; }
  const labels = state.part.labels;
  if (!labels) { $("right").textContent = "This match has no labels: give them as a third file."; return; }
  let made = 0, true_ = 0;
  const found = new Set(), covered = new Set(labels.filter((label) => state.shown.has(label.c) && isCovered(label)));
  for (const answer of state.part.answers) {
    const came = named(answer);
    for (const one of answer.expected.filter((one) => isShown(one) && isKnown(one))) {
      made += 1;
      if (!came.has(one)) continue;
      true_ += 1;
      if (covered.has(came.get(one))) found.add(came.get(one));
    }
  }
  if (!made) { $("right").textContent = "Nothing is expected above this confidence."; return; }
  const hits = `${true_.toLocaleString("en")} of ${made.toLocaleString("en")} anticipations came within a second (${percent(true_ / made)}).`;
  const recall = `They named ${percent(found.size / Math.max(covered.size, 1))} of the ${covered.size.toLocaleString("en")} actions that came in the five seconds after an answer.`;
  $("right").textContent = covered.size ? `${hits} ${recall}` : hits;
}

function listMoments() {
  const best = (answer) => Math.max(0, ...answer.expected.filter(isShown).map((one) => one.p));
  const lines = [...apart(best).map((a) => [a, `surest (${percent(best(a))})`]), ...apart((a) => a.missed.length).map((a) => [a, `surprised by ${a.missed.map((c) => match.classes[c].toLowerCase()).join(", ")}`])];
  $("moments").replaceChildren(...lines.map(([answer, what]) => {
    const line = document.createElement("li"), jump = document.createElement("button");
    jump.type = "button"; jump.textContent = `${clock(answer.now)}: ${what}`; jump.onclick = () => go(answer.now);
    line.append(jump); return line;
  }));
}

// The three answers with the highest scores, over ten seconds apart.
function apart(score) {
  const found = [];
  for (const answer of [...state.part.answers].sort((a, b) => score(b) - score(a))) {
    if (found.length === 3 || score(answer) <= 0) break;
    if (found.every((other) => Math.abs(other.now - answer.now) > 10000)) found.push(answer);
  }
  return found;
}

// Surprise of each answer: mean of one minus the confidence that it gave each action that followed.
function judge(part) {
  for (const answer of part.answers) {
    answer.surprise = 0; answer.missed = [];
    let followed = 0;
    for (const label of part.labels ?? []) {
      if (label.t <= answer.now || label.t > answer.now + FUTURE_MS) continue;
      const given = Math.max(0, ...answer.expected.filter((one) => one.c === label.c && Math.abs(one.t - label.t) <= NEAR_MS).map((one) => one.p));
      answer.surprise += 1 - given; followed += 1;
      if (!given) answer.missed.push(label.c);
    }
    answer.surprise /= Math.max(followed, 1);
  }
}

function draw() {
  drawLanes(); drawStrip(); if (!$("pitch").hidden) drawPitch(); if (!$("picture").hidden) drawPicture();
  listExpected();
  $("clock").textContent = clock(state.nowMs); $("scrub").value = state.nowMs;
  $("scrub").setAttribute("aria-valuetext", clock(state.nowMs));
}

// Stop following: what comes in meanwhile does not move what is shown.
function exitLive() {
  state.following = false; $("live").hidden = !match.live; $("play").textContent = state.playing ? "Pause" : "Play";
}

function goLive() {
  state.part = match.parts[match.parts.length - 1]; state.nowMs = state.part.lengthMs; state.following = true; state.playing = false;
  $("part").value = match.parts.length - 1; $("live").hidden = true; $("play").textContent = "Pause"; draw();
}

function go(ms) {
  exitLive();
  state.nowMs = Math.min(Math.max(0, Math.round(ms / FRAME_MS) * FRAME_MS), state.part.lengthMs);
  if (!video.hidden && Math.abs(video.currentTime * 1000 - state.nowMs) > FRAME_MS / 2) video.currentTime = (state.nowMs + FRAME_MS / 4) / 1000;
  draw();
}

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
  state.part = match.parts[index]; $("scrub").max = state.part.lengthMs;
  play(false); countRight(); listMoments(); go(state.part.answers[0]?.now ?? 0);
  $("status").textContent = `${state.part.answers.length.toLocaleString("en")} answers, ${clock(state.part.lengthMs)} of football`;
}

function filterChanged() { countRight(); listMoments(); draw(); }

// Request to the session; prompts for the server's token if it needs one.
async function ask(path, headers = {}) {
  for (;;) {
    const response = await fetch(match.live + path, { headers: { ...headers, ...(state.token && { Authorization: `Bearer ${state.token}` }) } });
    if (response.status !== 401) return response;
    state.token = prompt("This server asks for its token:");
    if (!state.token) throw new Error("the server's token is needed");
  }
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A running match: answers come as server-sent events, over fetch, which can send a token.
async function follow() {
  let last = "0", pause = 1000, known = false;
  for (; !state.over; pause = Math.min(2 * pause, 15000)) {
    try {
      const response = await ask("/events", { "Last-Event-ID": last });
      if (response.status === 404) { say("There is no such session (any more)."); state.over = true; if (!state.part.answers.length) nothingElse(); return; }
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      $("status").textContent = "Connected: waiting for the match …"; pause = 1000;
      if (!known) { await look(); known = true; }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        text += piece.value;
        const blocks = text.split("\n\n"); text = blocks.pop();
        for (const block of blocks) {
          const event = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
          last = event.id ?? last;
          if (event.event === "answer") take(JSON.parse(event.data));
          if (event.event === "end") { say(`Over: ${JSON.parse(event.data).detail}.`); state.over = true; return; }
        }
      }
    } catch (reason) { say(`The connection is lost (${reason.message}), trying again …`); }
    await later(pause);
  }
}

// Important notice, beside the title and over the picture.
function say(what) {
  $("status").textContent = $("nothing").textContent = what; $("nothing").hidden = false;
  if (!state.part.answers.length) $("stage").hidden = false;
}

// Hide everything but the notice: there is no match.
function nothingElse() {
  for (const section of document.querySelectorAll("main > section:not(#stage)")) section.hidden = true;
}

// Ask what the session watches; for a video, follow its pictures.
async function look() {
  const response = await ask("");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const session = await response.json();
  document.title = $("title").textContent = session.kind === "video" ? session.source : document.title;
  if (session.kind !== "video") return;
  $("stage").hidden = $("picture").hidden = false; requestAnimationFrame(glide); followPictures();
}

async function followPictures() {
  for (; !state.over; await later(2000)) {
    try {
      const response = await ask("/pictures");
      if (response.ok) await readPictures(response.body.getReader());
    } catch (reason) { /* the events say what is wrong */ }
  }
}

// Each part of the document is a JPEG, with its length and its time in its head.
async function readPictures(reader) {
  let bytes = new Uint8Array();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const joined = new Uint8Array(bytes.length + piece.value.length);
    joined.set(bytes); joined.set(piece.value, bytes.length); bytes = joined;
    for (;;) {
      const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200)), start = head.indexOf("\r\n\r\n") + 4;
      const end = start + Number(/Content-Length: (\d+)/i.exec(head)?.[1]);
      if (start < 4 || !(bytes.length >= end + 2)) break;
      keepPicture(Number(/Time-Ms: (\d+)/i.exec(head)[1]), new Blob([bytes.subarray(start, end)], { type: "image/jpeg" }));
      bytes = bytes.slice(end + 2);
    }
  }
}

function keepPicture(t, blob) {
  state.pictures = state.pictures.filter((one) => one.t > t - PICTURES_MS && one.t < t); state.pictures.push({ t, blob });
  const part = match.parts[match.parts.length - 1];
  part.lengthMs = Math.max(part.lengthMs, t); if (state.part === part) $("scrub").max = part.lengthMs;
}

// Draw the picture of this moment, if it came in the last five minutes.
function drawPicture() {
  const found = state.pictures.findLast((one) => one.t <= state.nowMs && state.nowMs - one.t < STALE_MS) ?? null;
  if (found === state.drawn) return;
  state.drawn = found;
  const canvas = $("picture"), pen = canvas.getContext("2d");
  if (!found) { pen.clearRect(0, 0, canvas.width, canvas.height); return; }
  createImageBitmap(found.blob).then((image) => {
    if (found !== state.drawn) return;
    if (canvas.width !== image.width || canvas.height !== image.height) { canvas.width = image.width; canvas.height = image.height; }
    pen.drawImage(image, 0, 0); image.close();
  });
}

// A stream comes in bursts: show it at the match's own speed, behind the newest picture and never ahead of it.
function glide(now) {
  const sinceMs = now - state.glided, latestMs = match.parts[match.parts.length - 1].lengthMs, behindMs = latestMs - state.nowMs;
  if (state.following && sinceMs >= FRAME_MS && behindMs) {
    state.nowMs = behindMs < 0 || behindMs > JUMP_MS ? latestMs : Math.min(latestMs, state.nowMs + sinceMs); draw();
  }
  if (sinceMs >= FRAME_MS) state.glided = now;
  if (!state.over || (state.following && behindMs)) requestAnimationFrame(glide);
}

// Take one answer of a running match. Actions seen later show which anticipations came true.
function take(answer) {
  const part = partOf(answer), team = Object.fromEntries(answer.teams.map((name, number) => [name, number]));
  const mark = (one) => ({ t: one.time_ms, c: match.labels.indexOf(one.action), p: one.confidence, x: one.x, y: one.y, team: team[one.team] });
  const seen = answer.seen.map(mark), again = (one) => seen.some((other) => other.t === one.t && other.c === one.c);
  part.seen = part.labels = [...part.seen.filter((one) => one.t <= answer.now_ms - answer.seen_ms && !again(one)), ...seen];
  if (part.seen.some((one) => one.x !== undefined && one.team !== undefined)) $("stage").hidden = $("pitch").hidden = false;
  part.answers.push({ now: answer.now_ms, expected: answer.expected.map(mark), lanes: answer.intensity_per_mille, surprise: 0, missed: [] });
  part.lengthMs = Math.max(part.lengthMs, answer.now_ms); judge({ answers: part.answers.slice(-8), labels: part.labels });
  showNotices(answer, part);
  if (state.part === part) $("scrub").max = part.lengthMs;
  if (state.following && $("picture").hidden) state.nowMs = answer.now_ms;
  if (part.answers.length % 5 === 0) { countRight(); listMoments(); }
  draw();
}

// Part that an answer belongs to: a new half begins a new one.
function partOf(answer) {
  const name = answer.half ? `Half ${answer.half}` : "Match";
  let part = match.parts[match.parts.length - 1];
  if (part.name === name) return part;
  if (part.answers.length) { part = { answers: [], seen: [], labels: [], lengthMs: 0 }; match.parts.push(part); }
  part.name = name; $("part").replaceChildren(...match.parts.map((one, index) => new Option(one.name, index)));
  $("part-label").hidden = match.parts.length < 2;
  if (state.following) state.part = part;
  return part;
}

// Show notices and how much was seen; if nothing is seen, over the picture as well.
function showNotices(answer, part) {
  if (answer.notices.length) state.notices = answer.notices.join("; ");
  const blind = !answer.seen_ms && !$("picture").hidden;
  const news = answer.notices.length ? ` — ${answer.notices.join("; ")}` : answer.seen_ms < PAST_MS ? ` — seen so far: ${answer.seen_ms / 1000} s of 30` : "";
  $("status").textContent = `Live, ${part.name.toLowerCase()} ${clock(answer.now_ms)}${news}`;
  $("nothing").hidden = !blind; $("nothing").textContent = blind ? state.notices ?? "Nothing is seen" : "";
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

function onKey(event) {
  if (event.target.matches("input, select, textarea") && event.key !== "Escape") return;
  const steps = { ArrowLeft: -FRAME_MS, ArrowRight: FRAME_MS, ",": -1000, ".": 1000, j: -FUTURE_MS, l: FUTURE_MS };
  if (event.key === " " && !event.target.matches("button")) { play(!state.playing); event.preventDefault(); }
  else if (event.key in steps && !event.ctrlKey && !event.metaKey) { play(false); go(state.nowMs + steps[event.key]); event.preventDefault(); }
}

function clickLanes(event) {
  const box = $("lanes").getBoundingClientRect(), { x } = lanesGeometry(box.width, box.height), at = event.clientX - box.left;
  const near = [...pastOf(state.nowMs), ...(answerAt(state.nowMs)?.expected ?? []).filter(isShown)].map((one) => [Math.abs(x(one.t) - at), one.t]).sort((a, b) => a[0] - b[0])[0];
  if (near && near[0] < 12) go(near[1]);
}

function begin() {
  match.parts.forEach((part, index) => { judge(part); $("part").add(new Option(part.name, index)); });
  $("part-label").hidden = match.parts.length < 2;
  match.classes.forEach((name, c) => {
    const label = document.createElement("label"), box = document.createElement("input"), swatch = document.createElement("span");
    box.type = "checkbox"; box.checked = true; box.onchange = () => { if (box.checked) state.shown.add(c); else state.shown.delete(c); filterChanged(); };
    swatch.className = "swatch"; swatch.style.background = colour(c); label.append(box, swatch, name); $("classes").append(label);
  });
  if (match.video) {
    video.hidden = false; video.src = match.video;
    video.onerror = () => { video.hidden = true; $("nothing").hidden = false; $("nothing").textContent = `The video ${match.videoName} cannot be played: is it still beside this page, and does this browser know its format?`; draw(); };
    video.onseeked = draw; video.onended = () => play(false);
  } else if (match.parts.some((part) => part.seen.some((one) => one.x !== undefined))) $("pitch").hidden = false;
  else if (!match.live) { $("nothing").hidden = false; $("nothing").textContent = "No video, and no positions: only what was seen and expected."; }
  $("stage").hidden = Boolean(match.live);
  $("legend").textContent = match.parts[0].labels ? "Above: how sure the model was. Below: how much it was surprised by what followed." : "How sure the model was.";
  $("play").onclick = () => play(!state.playing); $("back").onclick = () => go(state.nowMs - FRAME_MS); $("forward").onclick = () => go(state.nowMs + FRAME_MS);
  $("min-confidence").oninput = () => { state.minConfidence = Number($("min-confidence").value); $("min-confidence-shown").textContent = percent(state.minConfidence); filterChanged(); };
  $("scrub").oninput = () => { play(false); go(Number($("scrub").value)); };
  $("strip").onclick = (event) => go((event.clientX - $("strip").getBoundingClientRect().left) / $("strip").clientWidth * state.part.lengthMs);
  $("lanes").onclick = clickLanes; $("export").onclick = saveShown; $("part").onchange = () => choosePart(Number($("part").value));
  addEventListener("keydown", onKey); addEventListener("resize", draw); matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  $("live").onclick = goLive;
  choosePart(0);
  if (match.live) { goLive(); $("status").textContent = "Connecting …"; follow(); }
}

if (match.parts.length) begin(); else { $("nothing").hidden = false; $("nothing").textContent = "Nothing was anticipated: there is nothing to show."; $("status").textContent = ""; nothingElse(); }
