// A text as the network reads it: the state after every character, also when the text is edited.

const RECENT = 600; // characters whose states are kept, to colour the text by a unit
const STRIDE = 64; // of the older states every so manieth is kept, to read again from there

/**
 * What the network has read.
 *
 * entries: for each character its number id, or -1 if the network does not know it and skipped it;
 * its surprisal in nats, NaN where nothing predicted it; and the state h after it, null if it is no
 * longer kept.
 */
class Reading {
  constructor(model, network) {
    this.network = network;
    this.model = model;
    this.ids = new Map(model.characters.map((character, id) => [character, id]));
    this.begin(false);
  }

  /**
   * Forgets everything. A text that is typed is read from the zero state, since it may be any
   * passage; the network's own begins as its training text does, and so does one after a delimiter.
   */
  begin(typed) {
    const { network, model } = this;
    this.entries = [];
    this.typed = typed;
    this.own = 0; // characters that the network has written since, before any others
    this.first = network.zero();
    if (typed && model.delimiter === null) return this._moved();
    if (model.start !== null) this.first = floats(model.start);
    for (const id of model.opening) this.first = network.read(this.first, id);
    this._moved();
  }

  get length() {
    return this.entries.length;
  }

  /** The state (L·H,) after everything that was read. */
  get h() {
    return this.length ? this.entries[this.length - 1].h : this.first;
  }

  /** Whether anything has been read that predicts the next character. */
  get predicts() {
    return !this.typed || this.model.delimiter !== null || this.entries.some(({ id }) => id >= 0);
  }

  /** The logits of the next character. */
  get o() {
    this._o ??= this.network.logits(this.h);
    return this._o;
  }

  /** Probabilities of the next character, by number. */
  get probabilities() {
    this._p ??= softmax(this.o);
    return this._p;
  }

  /** Reads one more character. */
  append(character) {
    const { network, model, entries } = this;
    const id = this.ids.get(character) ?? model.replacement ?? -1;
    let h = this.h;
    let nats = NaN;
    if (id >= 0) {
      if (this.predicts) nats = -Math.log(this.probabilities[id]);
      // a delimiter ends one text and starts another, which knows nothing of it
      h = network.read(id === model.delimiter ? network.zero() : h, id);
    }
    entries.push({ character, id, nats, h });
    const old = entries.length - 1 - RECENT;
    if (old >= 0 && old % STRIDE) entries[old].h = null;
    this._moved();
  }

  /** Reads a character that the network chose itself. */
  write(id) {
    if (this.own === this.length && !this.typed && this.model.delimiter === null) this.own++;
    this.append(this.model.characters[id]);
  }

  /**
   * Goes back to the last state that is kept of what is in common with another text, and returns
   * how much of it need not be read again.
   *
   * Of a text that is edited every state is as if it were read anew. The network's own text is one
   * that is typed from its first change on.
   */
  rewind(characters) {
    const { entries } = this;
    let common = 0;
    const shorter = Math.min(this.length, characters.length);
    while (common < shorter && entries[common].character === characters[common]) common++;
    if (common === 0 || common < this.own) this.begin(characters.length > 0);
    else entries.length = common;
    while (this.length && !this.h) this.entries.pop();
    this._moved();
    return this.length;
  }

  _moved() {
    this._o = this._p = undefined;
  }
}
