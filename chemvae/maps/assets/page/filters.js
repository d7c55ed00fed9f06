// What keeps points on the map: each filter is a mask with words; a point stays where all masks hold.

class Filters {
  constructor(n) {
    Object.assign(this, { n, all: new Map() });
  }

  /** Keep the points of `mask` only; null takes the filter away. `words` tell the reader what it is, "" hides it. */
  set(name, mask, words = "", undo = null) {
    if (mask) this.all.set(name, { mask, words, undo });
    else this.all.delete(name);
  }

  clear() {
    const sets = this.all.get("sets"); // what is switched off stays so
    this.all.clear();
    if (sets) this.all.set("sets", sets);
  }

  /** Mask [n] of the points that all filters leave, or null where there is none. */
  combined() {
    const masks = [...this.all.values()].map((filter) => filter.mask);
    if (!masks.length) return null;
    const on = masks[0].slice();
    for (const mask of masks.slice(1)) for (let i = 0; i < this.n; i++) on[i] &= mask[i];
    return on;
  }

  /** A button for each filter that has words, which takes it away. */
  chips() {
    return [...this.all.values()]
      .filter((filter) => filter.words)
      .map(({ words, undo }) => el("button", { class: "cm-chip", title: `Take away: ${words}`, onclick: undo }, words, el("span", { "aria-hidden": "true" }, " \u00d7")));
  }
}
