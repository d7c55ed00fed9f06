// The part of the page's address that keeps a map's view: #key=x,y,zoom;c=column;p=pinned rows. Several maps share it with &.

function addressParts() {
  return location.hash.slice(1).split("&").filter(Boolean);
}

/** What the address says for the map `key`, or "". */
function readAddress(key) {
  return addressParts().find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
}

function writeAddress(key, text) {
  const others = addressParts().filter((part) => !part.startsWith(`${key}=`));
  try {
    history.replaceState(null, "", `#${[...others, `${key}=${text}`].join("&")}`);
  } catch {
    // inside a frame without an address of its own: nothing to keep
  }
}

/** Anyone can write an address: numbers are checked, the rest is only compared. */
function parseAddress(text) {
  const [place, ...rest] = text.split(";");
  const numbers = place.split(",").map(Number);
  const settings = Object.fromEntries(rest.map((part) => [part[0], part.slice(2)]));
  const pins = (settings.p ?? "").split(",").filter(Boolean).map(Number);
  return {
    view: numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : null,
    colour: settings.c ?? "",
    pins: [...new Set(pins)].filter((i) => Number.isInteger(i) && i >= 0),
  };
}
