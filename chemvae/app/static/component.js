// The map component and RDKit.js, loaded once: scripts of the server, started when the page stands.

let loading = null;

function script(source) {
  return new Promise((resolve, reject) => {
    const node = document.createElement("script");
    node.src = source;
    node.addEventListener("load", resolve);
    node.addEventListener("error", () => reject(new Error(`${source} did not load`)));
    document.head.append(node);
  });
}

/** Resolves when `chemvaeMaps` is there. RDKit.js comes after it, with the first drawing. */
export function component() {
  loading ??= script("/static/map/map.js").then(() => {
    globalThis.chemvaeMaps.rdkitBytes = rdkitBytes;
    return globalThis.chemvaeMaps;
  });
  return loading;
}

async function rdkitBytes() {
  const fetched = fetch("/static/map/RDKit_minimal.wasm").then((response) => response.arrayBuffer());
  await script("/static/embind.js");
  await script("/static/map/rdkit.js");
  return fetched;
}

const waitingToBeSeen = new WeakMap();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    waitingToBeSeen.get(target)();
  }
});

/** A tile with a molecule's structure, drawn when it comes into sight; its SMILES where it cannot be drawn. */
export function drawing(smiles, width, height) {
  const tile = document.createElement("div");
  tile.className = "drawing";
  tile.style.aspectRatio = `${width} / ${height}`;
  waitingToBeSeen.set(tile, async () => {
    const picture = await component().then((maps) => maps.draw(smiles, width, height)).catch(() => null);
    if (picture) return tile.replaceChildren(picture);
    const words = document.createElement("span");
    words.className = "undrawn";
    words.textContent = smiles;
    tile.replaceChildren(words);
  });
  watcher.observe(tile);
  return tile;
}

/** A picture that the server drew, as an image: nothing in it can run. */
export function picture(markup, words) {
  const image = document.createElement("img");
  image.className = "structure";
  image.alt = words;
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup)}`;
  return image;
}
