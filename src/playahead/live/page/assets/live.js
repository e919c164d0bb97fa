// A running session: answers come as server-sent events, pictures of a video beside them.
const PICTURES_MS = 300000, JUMP_MS = 15000, STALE_MS = 2000;
const lastPart = () => match.parts[match.parts.length - 1];
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Request to the session; prompts for the server's token if it needs one.
async function ask(path, headers = {}) {
  for (;;) {
    const response = await fetch(match.live + path, { headers: { ...headers, ...(state.token && { Authorization: `Bearer ${state.token}` }) } });
    if (response.status !== 401) return response;
    state.token = prompt("This server asks for its token:");
    if (!state.token) throw new Error("the server's token is needed");
  }
}

// Follow the events to the last one, over fetch, which can send a token; after a cut, go on where it was.
async function follow() {
  let last = "0", pause = 1000;
  for (; !state.over; pause = Math.min(2 * pause, 15000)) {
    try {
      const response = await ask("/events", { "Last-Event-ID": last });
      if (response.status === 404) { end("There is no such session (any more)."); if (!state.part.answers.length) nothingElse(); return; }
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      $("status").textContent = "Connected: waiting for the match …"; pause = 1000;
      if (!state.kind) await look();
      for await (const event of eventsOf(response.body)) {
        last = event.id ?? last;
        if (event.event === "answer") take(JSON.parse(event.data));
        if (event.event === "end") { end(`Over: ${JSON.parse(event.data).detail}.`); return; }
      }
    } catch (reason) { say(`The connection is lost (${reason.message}), trying again …`); }
    await later(pause);
  }
}

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const blocks = (text + piece.value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) yield Object.fromEntries(block.split("\n").map((row) => row.split(/: (.*)/s)));
  }
}

// An important notice, beside the title and over the picture.
function say(what) { $("status").textContent = what; overlay(what); }

function end(what) { state.over = true; say(what); refresh(); }

// Ask what the session watches; for a video, follow its pictures.
async function look() {
  const response = await ask("");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const session = await response.json();
  state.kind = session.kind;
  document.title = $("title").textContent = session.source === "rows" ? "Live feed" : session.source;
  if (!state.part.answers.length) overlay(session.kind === "video" ? "Waiting for the first picture" : "Waiting for the first row");
  $("pitch").hidden = session.kind === "video"; $("picture").hidden = session.kind !== "video"; draw();
  if (session.kind === "video") { requestAnimationFrame(glide); followPictures(); }
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
      const stop = start + Number(/Content-Length: (\d+)/i.exec(head)?.[1]);
      if (start < 4 || !(bytes.length >= stop + 2)) break;
      keepPicture(Number(/Time-Ms: (\d+)/i.exec(head)[1]), new Blob([bytes.subarray(start, stop)], { type: "image/jpeg" }));
      bytes = bytes.slice(stop + 2);
    }
  }
}

function keepPicture(t, blob) {
  if (!state.pictures.length && !state.over) { overlay(""); if (state.following) state.nowMs = t; }
  state.pictures = state.pictures.filter((one) => one.t > t - PICTURES_MS && one.t < t); state.pictures.push({ t, blob });
  lengthen(lastPart(), t);
}

function lengthen(part, t) {
  part.lengthMs = Math.max(part.lengthMs, t);
  if (state.part === part) { $("scrub").min = startOf(part); $("scrub").max = part.lengthMs; }
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
  const sinceMs = now - state.glided, latestMs = lastPart().lengthMs, behindMs = latestMs - state.nowMs;
  if (state.following && sinceMs >= FRAME_MS && behindMs) {
    state.nowMs = behindMs < 0 || behindMs > JUMP_MS ? latestMs : Math.min(latestMs, state.nowMs + sinceMs); draw();
  }
  if (sinceMs >= FRAME_MS) state.glided = now;
  if (!state.over || (state.following && behindMs)) requestAnimationFrame(glide);
}

// Take one answer of a running match. Actions seen later show which anticipations came true.
function take(answer) {
  const part = partOf(answer), side = (name) => { const index = answer.teams.indexOf(name); return index < 0 ? undefined : index; };
  const mark = (one) => ({ t: one.time_ms, c: match.labels.indexOf(one.action), p: one.confidence, x: one.x, y: one.y, team: side(one.team), usual: one.times_usual });
  const seen = answer.seen.map(mark), again = (one) => seen.some((other) => other.t === one.t && other.c === one.c);
  part.seen = part.labels = [...part.seen.filter((one) => one.t <= answer.now_ms - answer.seen_ms && !again(one)), ...seen].sort((a, b) => a.t - b.t);
  const { chances, intensity_per_mille: perMille } = answer;
  part.answers.push({
    now: answer.now_ms, expected: answer.expected.map(mark), rates: perMille, ball: side(answer.possession),
    chances: chances && [chances.within_1_s, chances.within_2_s, chances.within_5_s].map((row) => row.map((share) => Math.round(10000 * share))),
  });
  match.teams = answer.teams;
  lengthen(part, answer.now_ms); showNotices(answer, part);
  if (state.following && state.kind !== "video") state.nowMs = answer.now_ms;
  // Answers of the past come at once to who joins late: they are drawn together.
  state.refreshing ||= setTimeout(() => { state.refreshing = 0; nameTeams(); refresh(); }, 50);
}

// Part that an answer belongs to: a new half begins a new one.
function partOf(answer) {
  const name = answer.half ? `Half ${answer.half}` : "Match";
  let part = lastPart();
  if (part.name === name) return part;
  if (part.answers.length) { part = { answers: [], seen: [], labels: [], lengthMs: 0 }; match.parts.push(part); }
  part.name = name; $("part").replaceChildren(...match.parts.map((one, index) => new Option(one.name, index)));
  $("part-label").hidden = match.parts.length < 2;
  if (state.following) state.part = part;
  $("part").value = match.parts.indexOf(state.part);
  return part;
}

// Show notices and how much was seen; over the picture, why there is nothing to see.
function showNotices(answer, part) {
  const news = answer.notices.join("; "), soFar = answer.seen_ms < PAST_MS ? `seen so far: ${answer.seen_ms / 1000} s of 30` : "";
  if (news) state.notices = news;
  $("status").textContent = `Live, ${part.name.toLowerCase()} ${clock(answer.now_ms)}${news || soFar ? ` — ${news || soFar}` : ""}`;
  if (state.kind === "video") overlay(!answer.seen_ms ? state.notices || "Nothing is seen" : state.pictures.length ? "" : "Waiting for the first picture");
  else overlay(part.seen.length && !part.seen.some(hasPlace) ? "These rows say what happened, not where." : part.seen.length ? "" : "Waiting for the first row");
}

function goLive() {
  state.part = lastPart(); lengthen(state.part, 0); state.nowMs = state.part.lengthMs; state.following = true; state.playing = false;
  $("part").value = match.parts.length - 1; $("live").hidden = true; $("play").textContent = "Pause"; refresh();
}

