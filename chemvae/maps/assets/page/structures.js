// Molecules in the browser: RDKit.js, unpacked from the page. All maps of a page share one.

const SVG_PARTS = new Set(["svg", "g", "path", "rect", "ellipse", "circle", "line", "polygon", "polyline", "text", "tspan"]);
const CACHED_DRAWINGS = 300;
const LONGEST_DRAWN = 300; // characters: longer molecules would hold the page up, and nobody could tell their atoms apart
const CLASH = 0.35; // of the usual bond's length, as chem/drawing.py has it
const MATCH_COLOUR = [0.55, 0.82, 1];
const SLICE_MS = 25; // a search gives way to the page this often

const structures = {
  cache: new Map(),
  pattern: "",

  /** Resolves to RDKit, or to null where the browser cannot run it. Starts at the first call. */
  load() {
    this.loading ??= this.start().catch((error) => {
      console.warn("chemvae map: structures cannot be drawn", error);
      return null;
    });
    return this.loading;
  },

  async start() {
    const inPage = document.getElementById("chemvae-rdkit-wasm");
    const bytes = await (inPage ? inflate(inPage.textContent) : globalThis.chemvaeMaps.rdkitBytes());
    const module = await WebAssembly.compile(bytes);
    this.rdkit = await globalThis.initRDKitModule({
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(module, imports).then((instance) => receive(instance, module));
        return {};
      },
      print() {},
      printErr() {},
    });
    return this.rdkit;
  },

  /** Colour what matches this SMARTS in drawings from now on; "" for nothing. */
  highlight(smarts) {
    if (smarts === this.pattern) return;
    this.pattern = smarts;
    this.cache.clear();
  },

  /** A V2000 mol block with coordinates, or null. */
  molBlock(smiles) {
    const mol = this.rdkit && smiles ? this.readMolecule(smiles) : null;
    if (!mol) return null;
    try {
      return mol.get_new_coords();
    } catch {
      return null;
    } finally {
      mol.delete();
    }
  },

  /** An SVG element of the molecule, or null: not loaded, or not a molecule. */
  draw(smiles, width, height) {
    const key = `${width} ${height} ${smiles}`;
    if (!this.rdkit || !smiles) return null;
    if (!this.cache.has(key)) {
      if (this.cache.size >= CACHED_DRAWINGS) this.cache.delete(this.cache.keys().next().value);
      this.cache.set(key, this.render(smiles, width, height));
    }
    return this.cache.get(key)?.cloneNode(true) ?? null;
  },

  render(smiles, width, height) {
    const mol = smiles.length > LONGEST_DRAWN ? null : this.readMolecule(smiles);
    if (!mol) return null;
    try {
      layOut(mol);
      const look = { width, height, clearBackground: false, bondLineWidth: 1.4, ...this.matched(mol) };
      return safeSvg(mol.get_svg_with_highlights(JSON.stringify(look)), smiles);
    } catch {
      return null;
    } finally {
      mol.delete();
    }
  },

  /** Atoms and bonds of a molecule that the pattern matches, as drawing options. */
  matched(mol) {
    if (!this.pattern) return {};
    let query = null;
    try {
      query = this.rdkit.get_qmol(this.pattern);
      const { atoms = [], bonds = [] } = JSON.parse(mol.get_substruct_match(query));
      return { atoms, bonds, highlightColour: MATCH_COLOUR };
    } catch {
      return {};
    } finally {
      query?.delete();
    }
  },

  readMolecule(smiles, details) {
    try {
      return (details ? this.rdkit.get_mol(smiles, details) : this.rdkit.get_mol(smiles)) ?? null;
    } catch {
      return null;
    }
  },

  /**
   * Mask [n] of the molecules that hold a SMARTS pattern, or null if it is none or the search was stopped.
   * `report(done)` is called between slices; false from it stops the search.
   */
  async match(smarts, smiles, report) {
    if (!(await this.load())) return null;
    let query = null;
    try {
      query = this.rdkit.get_qmol(smarts);
    } catch {
      return null;
    }
    if (!query) return null;
    try {
      return await this.matchAll(query, smiles, report);
    } finally {
      query.delete();
    }
  },

  async matchAll(query, smiles, report) {
    const mask = new Uint8Array(smiles.length);
    let pause = performance.now() + SLICE_MS;
    for (let i = 0; i < smiles.length; i++) {
      const mol = this.readMolecule(smiles[i], MATCH_DETAILS);
      if (mol) mask[i] = holds(mol, query);
      if (performance.now() > pause) {
        if (report(i + 1) === false) return null;
        await new Promise((resolve) => setTimeout(resolve));
        pause = performance.now() + SLICE_MS;
      }
    }
    return mask;
  },
};

/** Give a molecule CoordGen's layout where fewer of its atoms lie on each other than in the usual one. */
function layOut(mol) {
  const usual = clashes(mol.get_new_coords());
  if (usual && clashes(mol.get_new_coords(true)) < usual) mol.set_new_coords(true);
}

/** Pairs of atoms without a bond that lie on each other in a mol block (V2000). */
function clashes(block) {
  const lines = block.split("\n");
  const [nAtoms, nBonds] = [0, 3].map((at) => parseInt(lines[3].slice(at, at + 3), 10));
  const places = lines.slice(4, 4 + nAtoms).map((line) => [0, 10].map((at) => parseFloat(line.slice(at, at + 10))));
  const apart = (a, b) => Math.hypot(places[a][0] - places[b][0], places[a][1] - places[b][1]);
  const bonds = lines.slice(4 + nAtoms, 4 + nAtoms + nBonds).map((line) => [0, 3].map((at) => parseInt(line.slice(at, at + 3), 10) - 1));
  const lengths = bonds.map(([a, b]) => apart(a, b)).sort((a, b) => a - b);
  const bonded = new Set(bonds.map(([a, b]) => Math.min(a, b) * nAtoms + Math.max(a, b)));
  let count = 0;
  for (let a = 0; a < nAtoms; a++) {
    for (let b = a + 1; b < nAtoms; b++) {
      if (apart(a, b) < CLASH * lengths[lengths.length >> 1] && !bonded.has(a * nAtoms + b)) count++;
    }
  }
  return count;
}

/** Reads three times faster than the default and finds the same: no Kekule form, no stereo labels. */
const MATCH_DETAILS = JSON.stringify({ kekulize: false, removeHs: false, assignStereo: false, assignCIPLabels: false });

function holds(mol, query) {
  try {
    return mol.get_substruct_match(query) === "{}" ? 0 : 1;
  } catch {
    return 0;
  } finally {
    mol.delete();
  }
}

/** RDKit's SVG as an element, with nothing in it that could run or load. */
function safeSvg(text, smiles) {
  const unstyled = text.replace(/ style=(['"])/g, " data-style=$1"); // a strict page takes no styles from markup, not even here
  const root = new DOMParser().parseFromString(unstyled, "image/svg+xml").documentElement;
  for (const node of [root, ...root.querySelectorAll("*")]) {
    if (!SVG_PARTS.has(node.localName)) node.remove();
    for (const { name } of [...node.attributes]) if (/^on|href/i.test(name)) node.removeAttribute(name);
    for (const [, name, value] of (node.dataset.style ?? "").matchAll(/([a-z-]+):([^;]+)/g)) node.setAttribute(name, value);
    delete node.dataset.style;
  }
  if (root.localName !== "svg") return null;
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", smiles);
  return document.importNode(root, true);
}
