// What the page shows of the network: the likeliest characters, its state, the text in colours.

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

