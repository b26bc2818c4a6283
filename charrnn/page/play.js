// The page in which the network writes: what is typed, what is shown, and when.

const MODEL = JSON.parse(document.getElementById("play-model").textContent);
const MAX_LENGTH = 50_000; // characters at which it stops writing
const FRAME = 12; // milliseconds of computing between two pictures
const LIKELIEST = 10;
const MAX_BITS = 8; // a surprisal of as much has the full colour
const NAMES = { " ": "space", "\t": "tab", "\n": "newline", "\r": "return", "\u00a0": "no-break" };

const at = (id) => document.getElementById("play-" + id);
const network = new Network(MODEL);
const reading = new Reading(MODEL, network);
const area = at("text");
const colours = getComputedStyle(at("title").parentElement);
const lines = MODEL.delimiter !== null && MODEL.characters[MODEL.delimiter] === "\n";

let pending = []; // characters that are not read yet
let writing = null; // what is left to write, and since when
let prompt = null; // the text before what was written last, to write another
let scheduled = false;
let edits = 0; // changes of the text other than at its end

// What a text area cannot hold, or would change, is shown as a symbol of Unicode's control pictures.
const picture = (character) => {
  const code = character.codePointAt(0);
  if (code === 0x7f) return "\u2421";
  return code < 0x20 && !"\n\t".includes(character) ? String.fromCharCode(0x2400 + code) : character;
};
const pictured = new Map(MODEL.characters.map((character) => [picture(character), character]));
const characterOf = (shown) => (reading.ids.has(shown) ? shown : pictured.get(shown) ?? shown);
const charactersOf = (text) => Array.from(text, characterOf);

/** What a character is called where it is shown alone: itself, its name or its code point. */
function label(character) {
  if (MODEL.delimiter !== null && character === MODEL.characters[MODEL.delimiter]) {
    return lines ? "end of line" : "end";
  }
  if (character in NAMES) return NAMES[character];
  if (/^[\p{C}\p{Z}]$/u.test(character)) return codePoint(character);
  return /^\p{M}$/u.test(character) ? "\u25cc" + character : character;
}

const codePoint = (character) =>
  "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

const percent = (p) => {
  const hundredths = 100 * p;
  if (hundredths > 0 && hundredths < 0.1) return "<0.1 %";
  return `${hundredths.toFixed(hundredths < 99.95 ? 1 : 0)} %`;
};

/** The number in a field; where it is empty or no number, another. */
function number(id, otherwise) {
  const field = at(id);
  return field.value.trim() === "" || !field.validity.valid ? otherwise : Number(field.value);
}

const settings = () => ({
  temperature: number("temperature", 1),
  topK: number("top-k", Infinity),
  topP: number("top-p", 1),
  minP: number("min-p", 0),
});

const say = (message) => {
  if (at("status").textContent !== message) at("status").textContent = message;
};

// ---- reading and writing

function schedule() {
  if (!scheduled) requestAnimationFrame(frame);
  scheduled = true;
}

/** One picture: reads what was typed, then writes, as much as there is time for. */
function frame(now) {
  scheduled = false;
  const end = performance.now() + FRAME;
  let read = 0;
  while (read < pending.length && performance.now() < end) reading.append(pending[read++]);
  pending = pending.slice(read);
  if (writing && !pending.length) writeUntil(end, now);
  draw();
  if (writing || pending.length) schedule();
}

/** Writes until a time, not faster than the chosen speed. */
function writeUntil(end, now) {
  const speed = Number(at("speed").value);
  const passed = Math.max(0, now - writing.now) / 1000;
  writing.due = speed === Infinity ? speed : Math.min(writing.due + passed * speed, speed / 10 + 1);
  writing.now = now;
  const options = settings();
  const seed = number("seed", 1);
  let written = "";
  while (writing && writing.due >= 1 && performance.now() < end) {
    writing.due -= 1;
    const choice = distribution(reading.o, options);
    if (!choice) stop("The state of the network overflowed; clear the text to start again.");
    else written += writeOne(pick(choice, random(seed, reading.length)));
  }
  insert(written);
}

/** Writes a character and returns it as it is shown. */
function writeOne(id) {
  reading.write(id);
  const ended = id === MODEL.delimiter;
  if (writing) {
    if (lines ? ended : true) writing.left--;
    if (ended && !lines) stop("The text has ended; what follows is another one.");
    else if (writing.left <= 0) stop("Done.");
    else if (reading.length >= MAX_LENGTH) stop("The text is full; clear it to go on.");
  }
  return picture(MODEL.characters[id]);
}

/** Adds to the end of the text area; a caret at the end stays there, and any other too. */
function insert(written) {
  if (!written) return;
  const length = area.value.length;
  const following = area.scrollTop + area.clientHeight > area.scrollHeight - 40;
  area.setRangeText(written, length, length, area.selectionEnd === length ? "end" : "preserve");
  if (following) area.scrollTop = area.scrollHeight;
}

function start() {
  prompt = area.value;
  const left = number("length", lines ? 10 : 500);
  writing = { left, due: 1, now: performance.now() };
  say(lines ? `Writing ${left} lines.` : `Writing ${left} characters.`);
  at("write").textContent = "Stop";
  schedule();
}

function stop(message) {
  writing = null;
  at("write").textContent = "Write";
  say(message);
}

/** Reads the text area after a change: from the first character that differs. */
function edited() {
  const characters = charactersOf(area.value);
  const kept = reading.rewind(characters);
  edits++;
  prompt = null; // another text would take away what was changed
  pending = characters.slice(kept);
  const unknown = [...new Set(characters)].filter((character) => !reading.ids.has(character));
  if (unknown.length) {
    const some = unknown.slice(0, 5).map((character) => `${label(character)} (${codePoint(character)})`);
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : "";
    const how = MODEL.replacement === null ? "skipped" : "read as U+FFFD";
    say(`Unknown to the network, and ${how}: ${some.join(", ")}${more}.`);
  } else if (!writing) say("");
  schedule();
}

function replaceText(text) {
  area.value = text;
  edited();
}

// ---- what is shown

function draw() {
  drawNext();
  drawState();
  drawTrace();
  at("clear").disabled = !area.value;
  at("again").disabled = prompt === null || !area.value;
}

const bars = Array.from({ length: Math.min(LIKELIEST, MODEL.characters.length) }, () => {
  const button = document.createElement("button");
  button.type = "button";
  const [symbol, bar, share] = ["symbol", "bar", "share"].map((name) => {
    const span = document.createElement("span");
    span.className = "play-" + name;
    return span;
  });
  bar.append(document.createElement("i"), document.createElement("b"));
  button.append(symbol, bar, share);
  const item = document.createElement("li");
  item.append(button);
  at("next").append(item);
  const row = { button, symbol, fill: bar.firstChild, mark: bar.lastChild, share, id: -1 };
  button.addEventListener("click", () => {
    if (pending.length) return;
    insert(writeOne(row.id));
    prompt = null;
    schedule();
  });
  return row;
});

function drawNext() {
  const choice = reading.predicts ? distribution(reading.o, settings()) : null;
  bars.forEach((row, rank) => {
    row.button.disabled = !choice;
    const name = choice ? label(MODEL.characters[(row.id = choice.order[rank])]) : "";
    const [drawn, own] = choice ? [choice.p[rank], reading.probabilities[row.id]] : [0, 0];
    row.symbol.textContent = name;
    row.symbol.classList.toggle("play-named", name.length > 2);
    row.share.textContent = choice ? percent(drawn) : "";
    row.fill.style.width = `${100 * drawn}%`;
    row.mark.style.left = `${100 * own}%`;
    row.mark.hidden = !choice;
  });
}

const units = MODEL.hidden_size;
const unbounded = MODEL.activation === "relu";
const canvases = Array.from({ length: MODEL.layers }, (_, layer) => {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const name = MODEL.layers > 1 ? ` of layer ${layer + 1}` : "";
  canvas.setAttribute("aria-label", `State of the ${units} units${name}`);
  at("state").append(canvas);
  const shown = { canvas, layer, columns: 1, cell: 1, largest: unbounded ? 0 : 1 };
  const unitAt = ({ offsetX, offsetY }) => {
    const column = Math.floor(offsetX / shown.cell);
    const unit = Math.floor(offsetY / shown.cell) * shown.columns + column;
    return column < shown.columns && unit < units ? layer * units + unit : -1;
  };
  canvas.addEventListener("mousemove", (event) => {
    const unit = unitAt(event);
    canvas.title = unit < 0 ? "" : `unit ${unit + 1}: ${reading.h[unit].toFixed(3)}`;
  });
  canvas.addEventListener("click", (event) => {
    const unit = unitAt(event);
    at("unit").value = unit < 0 || unit + 1 === number("unit", 0) ? "" : unit + 1;
    chooseUnit();
  });
  return shown;
});

/** Fits the cells of each layer to the width of the page. */
function resize() {
  const ratio = window.devicePixelRatio || 1;
  for (const shown of canvases) {
    const width = shown.canvas.clientWidth;
    const area = (width * 220) / MODEL.layers;
    shown.cell = Math.max(4, Math.min(16, Math.floor(Math.sqrt(area / units))));
    shown.columns = Math.max(1, Math.floor(width / shown.cell));
    shown.height = Math.ceil(units / shown.columns) * shown.cell;
    shown.canvas.style.height = `${shown.height}px`;
    shown.canvas.width = width * ratio;
    shown.canvas.height = shown.height * ratio;
    shown.canvas.getContext("2d").scale(ratio, ratio);
  }
  drawState();
}

/** A colour for a value from -1 to 1. */
function colour(value, strength = 1) {
  const name = value < 0 ? "--play-low" : "--play-high";
  const alpha = Math.min(1, Math.abs(value)) * strength || 0;
  return `rgb(${colours.getPropertyValue(name)} / ${alpha.toFixed(3)})`;
}

function drawState() {
  const chosen = number("unit", 0) - 1;
  const h = reading.h;
  const ink = colours.getPropertyValue("--play-ink");
  const line = colours.getPropertyValue("--play-wash");
  const [high, low] = [colour(1), colour(-1)];
  for (const shown of canvases) {
    const { canvas, layer, columns, cell } = shown;
    const context = canvas.getContext("2d");
    const own = h.subarray(layer * units, (layer + 1) * units);
    if (unbounded) shown.largest = own.reduce((one, other) => Math.max(one, other), shown.largest);
    context.clearRect(0, 0, canvas.clientWidth, shown.height);
    own.forEach((value, unit) => {
      const [x, y] = [(unit % columns) * cell, Math.floor(unit / columns) * cell];
      context.globalAlpha = 1;
      context.fillStyle = line;
      context.fillRect(x, y, cell - 1, cell - 1);
      context.globalAlpha = Math.min(1, Math.abs(value) / (shown.largest || 1)) || 0;
      context.fillStyle = value < 0 ? low : high;
      context.fillRect(x, y, cell - 1, cell - 1);
      if (layer * units + unit !== chosen) return;
      context.globalAlpha = 1;
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.strokeRect(x, y, cell - 1, cell - 1);
    });
  }
}

const trace = { edits: -1, first: 0, length: 0 };

/** The newest characters, coloured by surprisal or by a unit; only what is new is added. */
function drawTrace() {
  const { entries } = reading;
  const box = at("trace");
  if (trace.edits !== edits || trace.length > entries.length) {
    box.replaceChildren();
    Object.assign(trace, { edits, length: Math.max(0, entries.length - RECENT) });
  }
  if (trace.length === entries.length) return;
  const from = Math.max(trace.length, entries.length - RECENT);
  box.append(...entries.slice(from).map(tracedCharacter));
  trace.length = entries.length;
  while (box.childElementCount > RECENT) box.firstElementChild.remove();
  box.scrollTop = box.scrollHeight;
}

function tracedCharacter({ character, id, nats, h }) {
  const span = document.createElement("span");
  const named = /^[\p{Cc}\p{Cf}]$/u.test(character) && !"\n\t".includes(character);
  span.textContent = character === "\n" ? "\u21b5\n" : named ? `[${label(character)}]` : character;
  const unit = number("unit", 0) - 1;
  const bits = nats / Math.LN2;
  span.title = label(character);
  if (id < 0) {
    span.className = "play-unknown";
    span.title += ": unknown to the network, skipped";
  } else if (unit >= 0) {
    if (h) {
      span.style.backgroundColor = colour(h[unit] / scaleOf(unit), 0.75);
      span.title += `: unit ${unit + 1} is ${h[unit].toFixed(2)} after it`;
    }
  } else if (!Number.isNaN(bits)) {
    span.style.backgroundColor = colour(bits / MAX_BITS, 0.75);
    span.title += `: ${percent(Math.exp(-nats))}, ${bits.toFixed(1)} bits`;
  }
  return span;
}

const scaleOf = (unit) => canvases[Math.floor(unit / units)].largest || 1;

function chooseUnit() {
  const unit = number("unit", 0);
  at("trace-title").textContent = unit ? `Where unit ${unit} is active` : "How surprising the text is";
  const key = at("key");
  key.replaceChildren();
  const swatch = (value, text) => {
    const [item, box] = [document.createElement("span"), document.createElement("span")];
    item.className = "play-item";
    box.className = "play-swatch";
    box.style.backgroundColor = colour(value, 0.75);
    item.append(box, ` ${text}`);
    key.append(item, " ");
  };
  if (unit) {
    if (MODEL.activation === "tanh") swatch(-1, "−1");
    swatch(0, "0");
    swatch(1, unbounded ? "its layer's largest so far" : "1");
  } else {
    for (const bits of [0, 2, 4, 8]) swatch(bits / MAX_BITS, `${bits} bits: ${percent(2 ** -bits)}`);
  }
  edits++;
  schedule();
}

// ---- the controls

area.addEventListener("input", edited);
area.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("write").click();
  if (event.key === "Escape" && writing) stop("Stopped.");
});
at("write").addEventListener("click", () => (writing ? stop("Stopped.") : start()));
at("again").addEventListener("click", () => {
  const before = prompt;
  at("seed").value = (number("seed", 1) + 1) % 2 ** 53;
  replaceText(before);
  start();
});
at("clear").addEventListener("click", () => {
  if (writing) stop("");
  prompt = null;
  replaceText("");
  area.focus();
});
at("unit").addEventListener("input", chooseUnit);
for (const id of ["temperature", "top-k", "top-p", "min-p"]) {
  at(id).addEventListener("input", () => {
    at("warmth").value = number("temperature", 1).toFixed(2);
    schedule();
  });
}

at("warmth").value = number("temperature", 1).toFixed(2);
at("unit").max = units * MODEL.layers;
at("top-k").max = MODEL.characters.length;
at("legend").textContent = {
  tanh: "Blue is -1, orange 1.",
  sigmoid: "Pale is 0, orange 1.",
  relu: "Pale is 0; the darkest is the largest so far.",
}[MODEL.activation];
if (lines) {
  at("count").textContent = "Lines";
  at("length").value = 10;
}
new ResizeObserver(resize).observe(at("state"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", chooseUnit);
chooseUnit();
resize();
if (area.value) edited(); // what the browser kept when the page was loaded again

/** A text as if it were typed, from the beginning. */
function readAnew(text) {
  const anew = new Reading(MODEL, network);
  anew.rewind(Array.from(text));
  for (const character of text) anew.append(character);
  return anew;
}

// for tests, and for the console of the browser
window.charrnn = {
  characters: MODEL.characters,
  random,
  /** Whether something is still to be read or written. */
  busy: () => Boolean(writing || pending.length || scheduled),
  /** The state after the text that is shown. */
  state: () => Array.from(reading.h),
  /** The state after a text that is typed. */
  stateAfter: (text) => Array.from(readAnew(text).h),
  /** The probabilities of the character after a text, in the order of `characters`. */
  probabilities: (text) => Array.from(readAnew(text).probabilities),
  /** Those with which it is drawn. */
  drawn(text, options) {
    const { order, p } = distribution(readAnew(text).o, options);
    return order.map((_, id) => p[order.indexOf(id)]);
  },
  /** At most so many characters that the network writes after a text. */
  write(text, length, options = {}, seed = 1) {
    const anew = readAnew(text);
    const written = [];
    while (written.length < length) {
      const id = pick(distribution(anew.o, options), random(seed, anew.length));
      if (id === MODEL.delimiter) break;
      anew.write(id);
      written.push(MODEL.characters[id]);
    }
    return written.join("");
  },
};
