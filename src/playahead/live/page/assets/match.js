// The page of a match (`playahead view`) and of a running session.
// This file: what is known of the match, whether what was expected came, and which moments deserve a look.
// Times are milliseconds from the start of the part (a half, or a video) that is shown.
const match = JSON.parse(document.getElementById("match").textContent);
const PAST_MS = 30000, FUTURE_MS = 5000, FRAME_MS = 40, NEAR_MS = 1000;
const HORIZONS_MS = [1000, 2000, 5000];  // of an answer's chances, which are in units of 0.01 %
const MOMENTS = 5, APART_MS = 30000, DANGER = 0.04, WORTH_SAYING = 3;
const SHOT = match.labels.indexOf("SHOT"), CROSS = match.labels.indexOf("CROSS");
const state = {
  part: match.parts[0], nowMs: 0, playing: false, before: 0,
  minConfidence: 0, shown: new Set(match.classes.keys()),
  following: false, over: false, token: "", kind: "", notices: "", pictures: [], drawn: null, glided: 0, refreshing: 0,
};

const clock = (ms) => `${Math.floor(ms / 60000)}:${(ms % 60000 / 1000).toFixed(2).padStart(5, "0")}`;
const shortClock = (ms) => clock(Math.floor(ms / 1000) * 1000).slice(0, -3);
const percent = (share) => share >= 0.0005 && share < 0.01 ? `${(100 * share).toFixed(1)} %` : `${Math.round(100 * share)} %`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const isShown = (one) => one.p >= state.minConfidence && state.shown.has(one.c);
const hasPlace = (one) => one.x !== undefined && one.y !== undefined && one.team !== undefined;

// How many entries of a list in time order are not later than this.
function countUntil(list, timeMs, timeOf = (one) => one.t) {
  let low = 0, high = list.length;
  while (low < high) { const middle = (low + high) >> 1; if (timeOf(list[middle]) <= timeMs) low = middle + 1; else high = middle; }
  return low;
}

// Entries in (after, until].
const between = (list, afterMs, untilMs) => list.slice(countUntil(list, afterMs), countUntil(list, untilMs));
const answersBetween = (afterMs, untilMs) => {
  const answers = state.part.answers, until = (ms) => countUntil(answers, ms, (one) => one.now);
  return answers.slice(until(afterMs), until(untilMs));
};
const pastOf = (nowMs) => between(state.part.seen, nowMs - PAST_MS, nowMs);

// The latest answer made at or before a moment, as long as it looks ahead of it, or null.
function answerAt(nowMs) {
  const answer = state.part.answers[countUntil(state.part.answers, nowMs, (one) => one.now) - 1];
  return answer && nowMs - answer.now <= FUTURE_MS ? answer : null;
}

// Chance of a class within five seconds; in files without chances, the highest confidence.
function chance(answer, c) {
  if (answer.chances) return answer.chances[2][c] / 10000;
  return Math.max(0, ...answer.expected.filter((one) => one.c === c).map((one) => one.p));
}

// Where the curve of a part begins: a session may have joined late.
const startOf = (part) => match.live ? Math.max(0, (part.answers[0]?.now ?? 0) - PAST_MS) : 0;

// The side in possession, else the side that acted last, else undefined.
const ballAt = (nowMs) => answerAt(nowMs)?.ball ?? pastOf(nowMs).findLast((one) => one.team !== undefined)?.team;

// Each anticipation of an answer -> {how, label}. "hit": an action of its class came within a second. "off": one came at
// another time of the five seconds. "never": neither. Only actions after the observation count, and each counts once;
// taking anticipations and actions in time order finds as many hits as possible.
function verdicts(answer) {
  const found = new Map(), taken = new Set(), labels = state.part.labels;
  if (!answer || !labels) return found;
  const expected = answer.expected.filter(isShown).sort((a, b) => a.t - b.t);
  const free = (one, afterMs, untilMs) => between(labels, Math.max(afterMs, answer.now), untilMs).filter((label) => label.c === one.c && !taken.has(label));
  const settle = (one, how, label) => { found.set(one, { how, label }); if (label) taken.add(label); };
  for (const one of expected) {
    const [first] = free(one, one.t - NEAR_MS - 1, one.t + NEAR_MS);
    if (first) settle(one, "hit", first);
  }
  for (const one of expected.filter((one) => !found.has(one))) {
    const away = (label) => Math.abs(label.t - one.t);
    const [nearest] = free(one, answer.now, answer.now + FUTURE_MS).sort((a, b) => away(a) - away(b));
    settle(one, nearest ? "off" : "never", nearest);
  }
  return found;
}

// Whether all that an answer speaks of has passed. A running match goes on, and nobody knows what came after its end.
function isSettled(answer) {
  const last = match.parts[match.parts.length - 1];
  return !match.live || state.part !== last || answer.now + FUTURE_MS + NEAR_MS <= last.answers[last.answers.length - 1].now;
}

// How often the part's answers were right. Without labels: null.
function totals() {
  const labels = state.part.labels, sum = { answers: 0, silent: 0, made: 0, hit: 0, off: 0, never: 0, came: 0, named: 0 };
  if (!labels) return null;
  const named = new Set();
  for (const answer of state.part.answers.filter(isSettled)) {
    const found = verdicts(answer);
    sum.answers += 1; sum.made += found.size;
    if (!found.size) sum.silent += 1;
    for (const { how, label } of found.values()) { sum[how] += 1; if (how === "hit") named.add(label); }
  }
  // Actions in the five seconds after an answer, and those of them that an answer named.
  for (const label of labels) {
    const before = answerAt(label.t - 1);
    if (!before || label.t - before.now > FUTURE_MS || !isSettled(before) || !state.shown.has(label.c)) continue;
    sum.came += 1;
    if (named.has(label)) sum.named += 1;
  }
  return sum;
}

// Times at which a shot was likeliest, half a minute apart.
function dangers() {
  const found = [];
  for (const answer of [...state.part.answers].sort((a, b) => chance(b, SHOT) - chance(a, SHOT))) {
    if (found.length === MOMENTS || chance(answer, SHOT) < DANGER) break;
    if (found.every((other) => Math.abs(other.now - answer.now) > APART_MS)) found.push(answer);
  }
  return found;
}

// Actions that came with the lowest chance, of each class two at most. What was said of an action is the highest chance
// of its class in the five seconds before it.
function surprises() {
  const found = [], ofClass = new Map();
  const said = (label) => Math.max(...answersBetween(label.t - FUTURE_MS - 1, label.t - 1).map((answer) => chance(answer, label.c)));
  const judged = (state.part.labels ?? []).filter((label) => state.shown.has(label.c)).map((label) => ({ label, said: said(label) }));
  for (const one of judged.filter((one) => Number.isFinite(one.said)).sort((a, b) => a.said - b.said)) {
    const n = ofClass.get(one.label.c) ?? 0;
    if (found.length === MOMENTS) break;
    if (n < 2) { found.push(one); ofClass.set(one.label.c, n + 1); }
  }
  return found;
}

