// What is typed and what is written, picture by picture.

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

