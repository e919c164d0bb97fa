// The pictures of a moment: lanes, the curve over the match, the pitch.
const $ = (name) => document.getElementById(name);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (c) => match.colours[c];
const FONT = "system-ui, sans-serif", METRES = [105, 68], FADING = 8;
const PASSES = new Set(["PASS", "HIGH PASS", "CROSS", "HEADER", "THROW IN"].map((label) => match.labels.indexOf(label)));

// A pen for a canvas, which gets as many pixels as the screen has there.
function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  const sizes = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== sizes[0] || canvas.height !== sizes[1]) [canvas.width, canvas.height] = sizes;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, width, height);
  pen.font = `12px ${FONT}`; pen.textBaseline = "middle"; pen.textAlign = "left"; pen.lineWidth = 1;
  return { pen, width, height, write: writer(pen, width, height) };
}

// Writes text at the first of some spots (its left end and middle) where it covers no other text and no mark. Text that
// would leave the canvas is moved inside; text without room is left out.
function writer(pen, width, height) {
  const taken = [], covers = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const write = (text, spots, ink, halo = null) => {
    const wide = pen.measureText(text).width;
    for (const [x, y] of spots) {
      const left = Math.max(1, Math.min(x, width - wide - 1)), box = [left - 2, y - 6, left + wide + 2, y + 6];
      if (box[1] < -2 || box[3] > height + 2 || taken.some((other) => covers(box, other))) continue;
      taken.push(box);
      if (halo) { pen.strokeStyle = halo; pen.lineWidth = 3; pen.lineJoin = "round"; pen.strokeText(text, left, y); pen.lineWidth = 1; }
      pen.fillStyle = ink; pen.fillText(text, left, y);
      return true;
    }
    return false;
  };
  write.keepFree = (x, y, radius) => taken.push([x - radius, y - radius, x + radius, y + radius]);
  return write;
}

function dot(pen, x, y, radius, fill, edge = null) {
  pen.beginPath(); pen.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill) { pen.fillStyle = fill; pen.fill(); }
  if (edge) { pen.strokeStyle = edge; pen.stroke(); }
}

function line(pen, ...points) {
  pen.beginPath(); points.forEach((point, index) => index ? pen.lineTo(...point) : pen.moveTo(...point)); pen.stroke();
}

// ---- Lanes: the last 30 s, now, and the next 5 s at a scale of their own.

// Where each shown class has its lane, and x of a time. Rare classes have lower lanes.
function lanesGeometry(width, height) {
  const narrow = width < 600, left = narrow ? 70 : 82, right = width - 8, nowX = left + (right - left) * match.pastShare, top = 24;
  const classes = [...state.shown].sort((a, b) => a - b), share = (c) => match.small.includes(c) ? 0.7 : 1;
  const unit = (height - top - 2) / Math.max(classes.reduce((sum, c) => sum + share(c), 0), 3);
  const lanes = new Map();
  let y = top;
  for (const c of classes) { const high = unit * share(c); lanes.set(c, { middle: y + high / 2, base: y + high - 1.5, high: high - 3 }); y += high; }
  const pastPx = (nowX - left) / PAST_MS, futurePx = (right - nowX) / FUTURE_MS;
  const x = (t) => nowX + (t - state.nowMs) * (t <= state.nowMs ? pastPx : futurePx);
  return { narrow, left, right, nowX, top, bottom: y, lanes, x, stretch: futurePx / pastPx };
}

function drawLanes() {
  const { pen, width, height, write } = fitted($("lanes")), room = lanesGeometry(width, height), { lanes, x } = room;
  const answer = answerAt(state.nowMs), found = verdicts(answer), labels = state.part.labels ?? [];
  drawScale(pen, room, write);
  drawRates(pen, room, answer);
  for (const one of pastOf(state.nowMs).filter((one) => lanes.has(one.c))) dot(pen, x(one.t), lanes.get(one.c).middle, Math.max(4, Math.min(6, lanes.get(one.c).high * 0.42)), colour(one.c), style("--panel"));
  const coming = (answer?.expected ?? []).filter((one) => isShown(one) && one.t > state.nowMs).sort((a, b) => b.p - a.p);
  for (const one of coming) drawExpected(pen, one, x(one.t), lanes.get(one.c), found.get(one), answer);
  pen.lineWidth = 1.5;
  for (const label of between(labels, state.nowMs, state.nowMs + FUTURE_MS).filter((one) => lanes.has(one.c))) {
    const { middle, high } = lanes.get(label.c);
    dot(pen, x(label.t), middle, Math.min(5, high * 0.42), null, style("--ink")); write.keepFree(x(label.t), middle, 5);
  }
  pen.font = `11px ${FONT}`;
  for (const one of coming) write(percent(one.p), [[x(one.t) + 9, lanes.get(one.c).middle], [x(one.t) - 38, lanes.get(one.c).middle]], style("--ink"), style("--future"));
  const words = coming.map((one) => `${match.classes[one.c]} in ${seconds(one.t - state.nowMs)}, ${percent(one.p)}`);
  $("lanes").setAttribute("aria-label", words.length ? `Expected: ${words.join("; ")}` : "Nothing expected");
}

// Names and base lines; above them a ruler of seconds, as on a map: its segments show that the scale changes at "now".
function drawScale(pen, room, write) {
  const { narrow, left, right, nowX, top, bottom, lanes, x } = room, soft = style("--soft"), at = (s) => x(state.nowMs + 1000 * s);
  pen.fillStyle = style("--future"); pen.fillRect(nowX, 0, right - nowX + 8, bottom + 2);
  pen.strokeStyle = style("--grid");
  for (let s = -PAST_MS / 1000; s <= FUTURE_MS / 1000; s += s < 0 ? 5 : 1) line(pen, [at(s), top - 4], [at(s), bottom]);
  for (let s = -PAST_MS / 1000; s < FUTURE_MS / 1000; s += 1) {
    pen.strokeStyle = soft; pen.fillStyle = s % 2 ? style("--panel") : soft;
    pen.fillRect(at(s), top - 9, at(s + 1) - at(s), 5); pen.strokeRect(at(s), top - 9, at(s + 1) - at(s), 5);
  }
  pen.font = `11px ${FONT}`;
  for (const s of [0, 5, -30, -20, -10, 3, 1, 2, 4, -25, -15, -5]) {
    const text = s ? `${s > 0 ? "+" : "−"}${Math.abs(s)}${narrow && s > -30 && s < 5 ? "" : " s"}` : "now";
    write(text, [[at(s) - pen.measureText(text).width / 2, 7]], s ? soft : style("--now"));
  }
  for (const [c, { middle, base, high }] of lanes) {
    pen.strokeStyle = style("--line"); line(pen, [left, base], [right, base]);
    pen.font = `${Math.min(12, Math.max(10, high))}px ${FONT}`; pen.fillStyle = style("--ink"); pen.textAlign = "right"; pen.fillText(match.classes[c], left - 8, middle); pen.textAlign = "left";
  }
  pen.strokeStyle = style("--now"); pen.lineWidth = 2; line(pen, [nowX, top - 10], [nowX, bottom]); pen.lineWidth = 1;
}

// The model's rate of each class, standing on its lane's line: frame by frame in a running match; a recorded one knows
// the chances within 1, 2 and 5 s, which give the mean rate of each stretch.
function drawRates(pen, { lanes, x }, answer) {
  for (const [c, { base, high }] of lanes) {
    pen.fillStyle = colour(c); pen.globalAlpha = 0.3;
    for (const [fromMs, untilMs, perS] of rates(answer, c)) {
      if (answer.now + untilMs <= state.nowMs) continue;
      const from = x(Math.max(answer.now + fromMs, state.nowMs)), to = x(Math.min(answer.now + untilMs, state.nowMs + FUTURE_MS));
      const tall = Math.min(1, Math.sqrt(perS / 0.75)) * high;
      if (to > from) pen.fillRect(from, base - tall, to - from, tall);
    }
    pen.globalAlpha = 1;
  }
}

function rates(answer, c) {
  if (answer?.rates) return answer.rates[c].map((perMille, r) => [r * 160, (r + 1) * 160, perMille / 160]);
  if (!answer?.chances) return [];
  const events = answer.chances.map((within) => -Math.log(1 - Math.min(within[c] / 10000, 0.999)));
  return HORIZONS_MS.map((untilMs, h) => {
    const fromMs = HORIZONS_MS[h - 1] ?? 0;
    return [fromMs, untilMs, Math.max(0, events[h] - (events[h - 1] ?? 0)) / (untilMs - fromMs) * 1000];
  });
}

// A gauge on its lane's line, filled as far as the confidence goes; its frame says whether it came.
function drawExpected(pen, one, x, { base, high }, verdict, answer) {
  const tall = Math.max(2, high * one.p);
  pen.fillStyle = style("--panel"); pen.fillRect(x - 5, base - high, 10, high);
  pen.fillStyle = colour(one.c); pen.fillRect(x - 5, base - tall, 10, tall);
  pen.strokeStyle = style("--ink");
  if (verdict && (verdict.how === "hit" || isSettled(answer))) { pen.strokeStyle = style(verdict.how === "hit" ? "--good" : "--bad"); pen.lineWidth = 2; }
  pen.strokeRect(x - 5, base - high, 10, high); pen.lineWidth = 1;
}

// ---- The curve over the whole part: a shot's chance stands up, a cross's hangs down; what came is marked at the edges.

function drawCurve() {
  const { pen, width, height, write } = fitted($("strip")), { answers, labels, lengthMs } = state.part;
  const startMs = startOf(state.part), x = (t) => (t - startMs) / Math.max(lengthMs - startMs, 1) * width, top = 12, bottom = height - 26;
  const highest = (c) => answers.reduce((most, answer) => Math.max(most, chance(answer, c)), 0.02);
  const most = { up: highest(SHOT), down: highest(CROSS) }, px = (bottom - top) / (most.up + most.down), base = top + most.up * px;
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => one * px >= 16) ?? 1, soft = style("--soft");
  pen.font = `10px ${FONT}`; pen.strokeStyle = style("--grid");
  for (let share = -Math.floor(most.down / step) * step; share <= most.up; share += step) line(pen, [0, base - share * px], [width, base - share * px]);
  answers.forEach((answer, index) => {
    const wide = Math.max(1, x(Math.min(answers[index + 1]?.now ?? Infinity, answer.now + FUTURE_MS)) - x(answer.now));
    pen.fillStyle = colour(SHOT); pen.fillRect(x(answer.now), base - chance(answer, SHOT) * px, wide, chance(answer, SHOT) * px);
    pen.fillStyle = colour(CROSS); pen.fillRect(x(answer.now), base, wide, chance(answer, CROSS) * px);
  });
  pen.strokeStyle = soft; line(pen, [0, base], [width, base]);
  for (const label of labels ?? []) {
    if (label.c === SHOT) triangle(pen, x(label.t), top - 2, -8, style("--ink"));
    if (label.c === CROSS) triangle(pen, x(label.t), bottom + 2, 8, soft);
  }
  const nowX = x(state.nowMs);
  pen.strokeStyle = style("--now"); pen.lineWidth = 2; line(pen, [nowX, 0], [nowX, height - 14]); pen.lineWidth = 1;
  for (let share = -Math.floor(most.down / step) * step; share <= most.up; share += step) {
    if (Math.abs(share) > step / 2) write(percent(Math.abs(share)), [[2, base - share * px]], soft, style("--panel"));
  }
  const minutes = [1, 5, 10, 15, 30].find((one) => x(startMs + one * 60000) >= 44) ?? 60;
  for (let minute = Math.ceil(startMs / 60000 / minutes) * minutes; minute * 60000 <= lengthMs; minute += minutes) write(`${minute}′`, [[x(minute * 60000) - 6, height - 6]], soft);
  describeCurve();
}

// A mark with its tip at y, `high` to its flat side.
function triangle(pen, x, y, high, fill) {
  pen.fillStyle = fill; pen.beginPath(); pen.moveTo(x, y); pen.lineTo(x - 4, y + high); pen.lineTo(x + 4, y + high); pen.fill();
}

function describeCurve() {
  const answer = answerAt(state.nowMs);
  const now = answer ? `shot ${percent(chance(answer, SHOT))}, cross ${percent(chance(answer, CROSS))}` : "no answer";
  $("curve-now").textContent = `Now: ${now}`;
  $("strip").setAttribute("aria-label", `Chance of a shot and of a cross over the whole ${(state.part.name || "match").toLowerCase()}; now: ${now}`);
}

// ---- The pitch. Team 0 attacks to the right, team 1 to the left.

function drawPitch() {
  const { pen, width, height, write } = fitted($("pitch")), [long, wide] = METRES, top = 20;
  const scale = Math.min((width - 20) / (long + 4), (height - top - 8) / wide);
  const left = (width - long * scale) / 2, up = top + (height - top - 8 - wide * scale) / 2;
  const metres = (x, y) => [left + x * scale, up + y * scale];
  const place = (one) => metres(...(one.team === 1 ? [100 - one.x, 100 - one.y] : [one.x, one.y]).map((share, axis) => share / 100 * METRES[axis]));
  pen.fillStyle = style("--grass"); pen.fillRect(0, 0, width, height);
  drawMarkings(pen, metres, scale);
  const known = pastOf(state.nowMs).filter(hasPlace).slice(-FADING), places = known.map(place);
  const attack = attackOf(state.nowMs), last = known[known.length - 1];
  pen.font = `600 12px ${FONT}`;
  write(attack, [[(width - pen.measureText(attack).width) / 2, up - 10]], "#fff");
  known.slice(1).forEach((to, index) => drawMove(pen, known[index], to, places[index], places[index + 1], (index + 2) / known.length));
  known.forEach((one, index) => {
    const isLast = index === known.length - 1;
    pen.globalAlpha = isLast ? 1 : 0.35 + 0.5 * index / known.length;
    if (isLast) dot(pen, ...places[index], 15, null, "#fff");
    pen.lineWidth = 1.5; dot(pen, ...places[index], isLast ? 9 : 5, kit(one.team), kit(1 - one.team)); pen.lineWidth = 1;
    pen.globalAlpha = 1; write.keepFree(...places[index], isLast ? 11 : 5);
  });
  pen.font = `600 13px ${FONT}`;
  if (last) write(match.classes[last.c], around(pen, match.classes[last.c], places[places.length - 1], 26), "#fff", style("--grass"));
  drawRings(pen, write, place);
  const seen = last ? `last seen: ${match.classes[last.c].toLowerCase()}, ${teamName(last.team)}` : "no place is known";
  $("pitch").setAttribute("aria-label", `Pitch. ${attack ? `${attack}; ` : ""}${seen}`);
}

const kit = (team) => style(team === 1 ? "--team-1" : "--team-0");

// Places for a text about a mark: below, above, right, left.
function around(pen, text, [x, y], away) {
  const wide = pen.measureText(text).width;
  return [[x - wide / 2, y + away], [x - wide / 2, y - away], [x + away, y], [x - away - wide, y]];
}

function drawMarkings(pen, metres, scale) {
  const [long, wide] = METRES, box = (x, y, w, h) => pen.strokeRect(...metres(x, y), w * scale, h * scale);
  const arc = (x, y, radius, from, to) => { pen.beginPath(); pen.arc(...metres(x, y), radius * scale, from, to); pen.stroke(); };
  const spot = (x) => dot(pen, ...metres(x, wide / 2), Math.max(1.5, 0.3 * scale), pen.strokeStyle);
  pen.strokeStyle = style("--chalk"); pen.lineWidth = 1.2;
  box(0, 0, long, wide); line(pen, metres(long / 2, 0), metres(long / 2, wide)); arc(long / 2, wide / 2, 9.15, 0, 2 * Math.PI); spot(long / 2);
  const reach = Math.acos(5.5 / 9.15);  // of the arc that looks out of the penalty area
  for (const [goal, inward] of [[0, 1], [long, -1]]) {
    for (const [deep, across] of [[16.5, 40.32], [5.5, 18.32], [-2, 7.32]]) box(goal, (wide - across) / 2, inward * deep, across);
    spot(goal + inward * 11);
    const middle = inward > 0 ? 0 : Math.PI;
    arc(goal + inward * 11, wide / 2, 9.15, middle - reach, middle + reach);
    arc(goal, 0, 1, inward > 0 ? 0 : Math.PI / 2, inward > 0 ? Math.PI / 2 : Math.PI);
    arc(goal, wide, 1, inward > 0 ? -Math.PI / 2 : Math.PI, inward > 0 ? 0 : 1.5 * Math.PI);
  }
  pen.lineWidth = 1;
}

const teamName = (team) => match.teams?.[team] ?? `team ${team + 1}`;

// Which way the side with the ball attacks.
function attackOf(nowMs) {
  const ball = ballAt(nowMs), name = teamName(ball).slice(0, 30);
  return ball === undefined ? "" : ball === 0 ? `${name} attack →` : `← ${name} attack`;
}

// From one row to the next of the same side: an arrow for a pass, a dashed line for what else moved the ball.
function drawMove(pen, from, to, [x0, y0], [x1, y1], share) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (from.team !== to.team || length < 14) return;
  const ux = (x1 - x0) / length, uy = (y1 - y0) / length, end = [x1 - 8 * ux, y1 - 8 * uy];
  pen.globalAlpha = 0.25 + 0.65 * share; pen.strokeStyle = pen.fillStyle = kit(from.team); pen.lineWidth = 2;
  if (!PASSES.has(from.c)) pen.setLineDash([3, 4]);
  line(pen, [x0 + 6 * ux, y0 + 6 * uy], end); pen.setLineDash([]);
  if (PASSES.has(from.c)) {
    pen.beginPath(); pen.moveTo(...end);
    for (const turn of [0.5, -0.5]) pen.lineTo(end[0] - 9 * (ux * Math.cos(turn) - uy * Math.sin(turn)), end[1] - 9 * (uy * Math.cos(turn) + ux * Math.sin(turn)));
    pen.fill();
  }
  pen.globalAlpha = 1; pen.lineWidth = 1;
}

// Where actions are expected: a ring for each place, with what is expected there and how likely.
function drawRings(pen, write, place) {
  const coming = (answerAt(state.nowMs)?.expected ?? []).filter((one) => isShown(one) && hasPlace(one) && one.t > state.nowMs), rings = [];
  for (const one of coming.sort((a, b) => b.p - a.p)) {
    const [x, y] = place(one), same = rings.find((ring) => ring.team === one.team && Math.hypot(ring.x - x, ring.y - y) < 24);
    if (!same) rings.push({ x, y, team: one.team, of: [one] }); else if (same.of.every((other) => other.c !== one.c)) same.of.push(one);
  }
  pen.font = `12px ${FONT}`; pen.lineWidth = 1.5;
  for (const { x, y, team, of } of rings) {
    pen.globalAlpha = 0.8; pen.lineWidth = 2; pen.setLineDash([4, 3]); dot(pen, x, y, 12, null, kit(team)); pen.setLineDash([]); pen.globalAlpha = 1;
    const text = of.slice(0, 3).map((one) => `${match.classes[one.c]} ${percent(one.p)}`).join(", ");
    write(text, around(pen, text, [x, y], 22), "#fff", style("--grass"));
  }
  pen.lineWidth = 1;
}

