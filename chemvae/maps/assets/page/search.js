// Looking for molecules: part of a SMILES or of any text, or a substructure.

class Search {
  constructor(map) {
    Object.assign(this, { map, token: null, text: "", mode: "text" });
  }

  /** Look for `text`; `say` tells how it goes. */
  async run(text, mode, say) {
    const { map } = this;
    const token = (this.token = {});
    Object.assign(this, { text, mode });
    const asPattern = mode === "smarts";
    structures.highlight(asPattern ? text : "");
    say("");
    if (!text) return this.finish(null);
    const report = (done) => {
      say(`${Math.floor((100 * done) / map.n)} %`);
      return token === this.token;
    };
    const mask = asPattern ? await structures.match(text, map.smiles, report) : this.textMatches(text);
    if (token !== this.token) return;
    if (mask) say(`${countText(mask.reduce((sum, hit) => sum + hit, 0))} found`);
    else say(structures.rdkit ? "not a SMARTS pattern" : "needs RDKit.js, which did not start");
    this.finish(mask);
  }

  finish(mask) {
    const undo = () => this.map.controls.askFor("", this.mode);
    this.map.setFilter("search", mask, this.mode === "smarts" ? `SMARTS ${this.text}` : `\u201c${this.text}\u201d`, undo);
    this.map.remember();
  }

  forget() {
    Object.assign(this, { token: null, text: "" });
    structures.highlight("");
  }

  textMatches(text) {
    const { smiles, columns, n } = this.map;
    const lower = text.toLowerCase();
    const mask = Uint8Array.from(smiles, (one) => (one.includes(text) ? 1 : 0));
    for (const column of columns.filter((candidate) => candidate.kind === "text")) {
      for (let i = 0; i < n; i++) if (!mask[i] && column.lines[i].toLowerCase().includes(lower)) mask[i] = 1;
    }
    for (const column of columns.filter((candidate) => candidate.kind === "category")) {
      const hits = column.names.map((name) => name.toLowerCase().includes(lower));
      if (hits.some(Boolean)) for (let i = 0; i < n; i++) if (hits[column.codes[i]]) mask[i] = 1;
    }
    return mask;
  }
}
