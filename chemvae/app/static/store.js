// What the parts of the page share: what the server offers, and the molecule that is looked at.

class Store extends EventTarget {
  /** What /api/info says; set before anything else starts. */
  info = null;
  /** The molecule that is looked at: { smiles, name }, or null. */
  molecule = null;

  /** What the server offers has changed: there is a library, or another one. */
  learn(info) {
    const same = this.info.library?.name === info.library?.name && this.info.library?.rows === info.library?.rows;
    this.info = info;
    if (!same) this.dispatchEvent(new Event("info"));
  }

  /** Who wants the next molecule that is clicked, in place of looking at it; null for nobody. */
  #picking = null;

  /** Hand the next molecule that is clicked to `take(smiles, name)`; null stops waiting for it. */
  pick(take) {
    this.#picking = take;
    this.dispatchEvent(new CustomEvent("pick", { detail: Boolean(take) }));
  }

  /** Look at another molecule; `name` is a title for it. */
  look(smiles, name = "") {
    const take = this.#picking;
    if (take && smiles) {
      this.pick(null);
      return take(smiles, name);
    }
    this.molecule = smiles ? { smiles, name } : null;
    this.dispatchEvent(new Event("molecule"));
  }

  /** Show a run beside the map. */
  show(id) {
    this.dispatchEvent(new CustomEvent("run", { detail: id }));
  }

  /** Make a property that was learned a goal of a search from the molecule at hand. */
  aim(name) {
    this.dispatchEvent(new CustomEvent("aim", { detail: name }));
  }

  /** Go to a view: map, runs, laboratory or data. */
  go(view) {
    this.dispatchEvent(new CustomEvent("view", { detail: view }));
  }

  /** Properties learned from uploads, as they are known so far; their names begin with "fit:". */
  fitted = [];

  /** The property of that name, whatever its case; undefined for none. */
  property(name) {
    return [...this.info.properties, ...this.fitted].find((one) => one.name.toLowerCase() === name.toLowerCase());
  }

  /** The library's column of that name, with its histogram; undefined for none. */
  column(name) {
    return this.info.library?.columns.find((one) => one.name.toLowerCase() === name.toLowerCase());
  }
}

export const store = new Store();
