// What the pointer shows in a report: values of curves, likeliest characters, states of units.
"use strict";
(() => {
  const VALUES = JSON.parse(document.getElementById("values").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const number = (value) =>
    Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
      ? value.toExponential(2)
      : value.toLocaleString("en", { maximumSignificantDigits: 4 });
  const make = (parent, name, content = "", look = "") => {
    const made = document.createElement(name);
    made.textContent = content;
    if (look) made.className = look;
    parent.append(made);
    return made;
  };
  document.documentElement.classList.add("script");

  /** The number of the value in an ascending list that is nearest to one. */
  function nearest(values, wanted) {
    let low = 0, high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] < wanted) low = middle;
      else high = middle;
    }
    return Math.abs(values[low] - wanted) <= Math.abs(values[high] - wanted) ? low : high;
  }

  function readable(figure, chart) {
    const drawing = figure.querySelector("svg.plot");
    const output = figure.querySelector("output");
    const cursor = document.createElementNS(SVG, "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y2", "100%");
    cursor.setAttribute("visibility", "hidden");
    drawing.append(cursor);
    const [low, high] = chart.x;
    const lines = chart.lines.filter((line) => line.x.length).reverse();
    const places = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    let chosen = 0;

    function show(x) {
      chosen = nearest(places, x);
      const share = (places[chosen] - low) / (high - low);
      cursor.setAttribute("x1", `${100 * share}%`);
      cursor.setAttribute("x2", `${100 * share}%`);
      cursor.setAttribute("visibility", "visible");
      output.textContent = "";
      make(output, "b", `${chart.title} ${number(Math.round(places[chosen]))}`);
      for (const line of lines) {
        if (places[chosen] < line.x[0] || places[chosen] > line.x.at(-1)) continue;
        make(output, "span", number(line.y[nearest(line.x, places[chosen])]), `key ${line.look}`);
      }
    }
    const point = (event) => {
      const box = drawing.getBoundingClientRect();
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      show(low + share * (high - low));
    };
    drawing.addEventListener("pointermove", point);
    drawing.addEventListener("pointerdown", point);
    drawing.setAttribute("tabindex", "0");
    drawing.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      show(places[Math.min(Math.max(chosen + by, 0), places.length - 1)]);
    });
  }
  for (const figure of document.querySelectorAll("figure.chart")) {
    readable(figure, VALUES.charts[figure.dataset.name]);
  }

  const passage = document.getElementById("passage");
  if (passage) {
    const found = VALUES.passage;
    const letters = Array.from(passage.children);
    const numbers = new Map(letters.map((letter, number) => [letter, number]));
    const guess = document.getElementById("guess");
    let chosen = null;

    const show = (letter) => {
      if (!numbers.has(letter)) return;
      if (chosen) chosen.removeAttribute("aria-current");
      chosen = letter;
      chosen.setAttribute("aria-current", "true");
      const n = numbers.get(letter);
      guess.textContent = "";
      guess.hidden = false;
      const said = make(guess, "p");
      make(said, "b", found.text[n]);
      const rank = found.ranks[n] === 1 ? "the likeliest" : `number ${found.ranks[n]}`;
      const bits = found.bits[n] < 0 ? " begins the text: it is not predicted" : ` ${found.bits[n].toFixed(2)} bits, ${rank}`;
      said.append(bits);
      if (found.bits[n] < 0) return;
      const list = make(guess, "ol");
      found.likeliest[n].forEach((id, place) => {
        const item = make(list, "li", "", found.names[id] === found.text[n] ? "right" : "");
        make(item, "span", found.names[id]);
        const bar = make(item, "i");
        make(bar, "i").style.width = `${found.percent[n][place]}%`;
        make(item, "span", `${found.percent[n][place].toFixed(1)} %`);
      });
    };
    passage.addEventListener("pointerover", (event) => show(event.target));
    passage.addEventListener("click", (event) => show(event.target));
    passage.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = chosen === null ? 0 : numbers.get(chosen) + by;
      show(letters[Math.min(Math.max(next, 0), letters.length - 1)]);
    });
  }

  const choice = document.getElementById("unit");
  if (choice) {
    const letters = Array.from(document.getElementById("unit-passage").children);
    choice.addEventListener("change", () => {
      const levels = VALUES.units.levels[Number(choice.value)];
      letters.forEach((letter, n) => {
        letter.className = `u${levels.charCodeAt(n) - 97}`;
      });
    });
  }
})();
