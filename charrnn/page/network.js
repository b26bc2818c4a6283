// The network of docs/equations.md, one character at a time, and the choice of what follows.
"use strict";

const ACTIVATIONS = {
  tanh: Math.tanh,
  sigmoid: (a) => 0.5 * (Math.tanh(0.5 * a) + 1), // exp(-a) would overflow for large -a
  relu: (a) => Math.max(a, 0),
};

/** Numbers of 32 bits from base64; every machine that runs a browser has the byte order of x86. */
function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** The sum of M[row·N + j] x[j] over j: a row of a matrix (M, N) times a vector (N,). */
function rowTimes(matrix, row, x) {
  const N = x.length;
  let sum = 0;
  for (let j = 0, k = row * N; j < N; j++, k++) sum += matrix[k] * x[j];
  return sum;
}

/** The weights U, W, b of each layer, V and c, with the equations that use them. */
class Network {
  constructor({ activation, layers, hidden_size: H, characters, weights }) {
    this.f = ACTIVATIONS[activation];
    this.H = H;
    this.A = characters.length;
    const named = Object.fromEntries(
      Object.entries(weights).map(([name, base64]) => [name, floats(base64)]),
    );
    this.layers = Array.from({ length: layers }, (_, l) => {
      const suffix = layers === 1 ? "" : l + 1;
      return { U: named["U" + suffix], W: named["W" + suffix], b: named["b" + suffix] };
    });
    this.V = named.V;
    this.c = named.c;
  }

  /** The state (L·H,) before anything is read. */
  zero() {
    return new Float32Array(this.layers.length * this.H);
  }

  /** (22): the state after character number x is read in state h, the layers side by side. */
  read(h, x) {
    const { H, A, f } = this;
    const after = this.zero();
    let below = null; // h_t of the layer below
    this.layers.forEach(({ U, W, b }, l) => {
      const before = h.subarray(l * H, (l + 1) * H);
      const own = after.subarray(l * H, (l + 1) * H);
      for (let i = 0; i < H; i++) {
        const Ux = below ? rowTimes(U, i, below) : U[i * A + x]; // of one-hot x_t, a column of U
        own[i] = f(Ux + rowTimes(W, i, before) + (b ? b[i] : 0));
      }
      below = own;
    });
    return after;
  }

  /** (3): the logits o (A,) of the character after state h. */
  logits(h) {
    const top = h.subarray(h.length - this.H);
    return Float32Array.from(
      { length: this.A },
      (_, i) => rowTimes(this.V, i, top) + (this.c ? this.c[i] : 0),
    );
  }
}

/** (4): probabilities ŷ (A,) of logits; shifted by the largest, exp cannot overflow. */
function softmax(o) {
  const largest = o.reduce((one, other) => Math.max(one, other));
  const exps = Float64Array.from(o, (value) => Math.exp(value - largest));
  const sum = exps.reduce((one, other) => one + other, 0);
  return exps.map((value) => value / sum);
}

/**
 * What the next character is drawn from, as `charrnn sample` does.
 *
 * Returns the numbers of the characters, the likeliest first, and the probability with which each
 * is drawn; null if the logits are not finite. Temperature 0 is greedy; topK is how many of the
 * likeliest remain, topP the probability that those that remain have together, and minP how likely
 * each of them is at least, relative to the likeliest.
 */
function distribution(o, { temperature = 1, topK = Infinity, topP = 1, minP = 0 } = {}) {
  const order = Array.from(o.keys()).sort((i, j) => o[j] - o[i] || i - j);
  const highest = o[order[0]];
  if (!Number.isFinite(highest) || o.some(Number.isNaN)) return null;
  let p = new Float64Array(order.length);
  let sum = 0;
  order.forEach((i, rank) => {
    if (rank >= topK) return;
    const difference = o[i] - highest;
    p[rank] = temperature > 0 ? Math.exp(difference / temperature) : Number(rank === 0);
    if (p[rank] < minP) p[rank] = 0;
    sum += p[rank];
  });
  if (topP < 1) {
    let before = 0;
    const enough = topP * sum;
    sum = 0;
    p = p.map((value, rank) => {
      const kept = rank === 0 || before < enough ? value : 0;
      before += value;
      sum += kept;
      return kept;
    });
  }
  return { order, p: p.map((value) => value / sum) };
}

/** The character that a random number u in [0, 1) chooses from a distribution. */
function pick({ order, p }, u) {
  let last = 0;
  let cumulative = 0;
  for (let rank = 0; rank < p.length; rank++) {
    if (!p[rank]) continue;
    last = rank;
    cumulative += p[rank];
    if (u < cumulative) break;
  }
  return order[last];
}

/**
 * A random number in [0, 1) for a position in the text: sfc32 of Chris Doty-Humphrey's PractRand,
 * seeded with the seed and the position. So a text that is stopped and continued, or edited, goes on
 * as one that never was.
 */
function random(seed, position) {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = position | 0;
  let sum = 0;
  for (let counter = 1; counter <= 15; counter++) {
    sum = (((a + b) | 0) + counter) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
  }
  return (sum >>> 0) / 2 ** 32;
}
