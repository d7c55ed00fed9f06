// The part of the address that keeps the page: #view=runs&run=ID&molecule=SMILES beside what the map keeps there itself.

const parts = () => location.hash.slice(1).split("&").filter(Boolean);

export function recall(key) {
  const found = parts().find((part) => part.startsWith(`${key}=`));
  try {
    return found ? decodeURIComponent(found.slice(key.length + 1)) : "";
  } catch {
    return "";
  }
}

/** Keep a value under a key; "" takes it away. */
export function keep(key, value) {
  const others = parts().filter((part) => !part.startsWith(`${key}=`));
  const mine = value ? [`${key}=${encodeURIComponent(value)}`] : [];
  history.replaceState(null, "", `#${[...others, ...mine].join("&")}`);
}
