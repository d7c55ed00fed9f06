// The molecules that were chosen in a run's table: by what they are, and for as long as this browser remembers.

const LONGEST_LINK = 40_000; // characters of an address: servers refuse longer ones

const keyOf = ({ id, made }) => `chemvae-shortlist ${id} ${made}`; // a project of another folder has a run of that id, too

/** A set of SMILES that outlives the page. */
export class Shortlist extends Set {
  #key = null;

  /** Take up what was chosen of this run before. */
  recall(job) {
    if (this.#key === keyOf(job)) return;
    this.#key = keyOf(job);
    for (const smiles of remembered(this.#key)) this.add(smiles);
  }

  keep() {
    try {
      if (this.size) localStorage.setItem(this.#key, JSON.stringify([...this]));
      else localStorage.removeItem(this.#key);
    } catch {
      // a browser that keeps nothing: the choice lasts as long as the page
    }
  }

  /** What is chosen and stands in the table, in the table's order. */
  among(rows) {
    return [...new Set(rows.map((row) => row.smiles))].filter((smiles) => this.has(smiles));
  }
}

function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
}

/** Up to `most` different molecules of a table that are wanted most; what breaks a constraint (and says so) is none of them. */
export function bestOf(rows, most, merit) {
  const counted = rows.filter((row) => Number.isFinite(row.score ?? NaN) && !row.reason);
  const ordered = counted.sort((a, b) => merit(b.score) - merit(a.score));
  return [...new Set(ordered.map((row) => row.smiles))].slice(0, most);
}

/** Molecules as parameters of an address; null where they are too many for one. */
export function parametersOf(molecules) {
  const pairs = molecules.map((smiles) => ["smiles", smiles]);
  return new URLSearchParams(pairs).toString().length > LONGEST_LINK ? null : pairs;
}
