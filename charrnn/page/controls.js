// Keys, buttons and fields, and what tests and the console of the browser can call.

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
