// Questions to the server. What it refuses becomes an Error whose message is its sentence.

export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The address of something the browser fetches itself: a download, a stream of events; `parameters` by name or in pairs. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return query ? `${path}?${query}` : path;
}

async function ask(method, path, body, signal) {
  const asJson = body && !(body instanceof FormData);
  const headers = asJson ? { "Content-Type": "application/json" } : {};
  const content = asJson ? JSON.stringify(body) : body;
  let response;
  try {
    response = await fetch(path, { method, headers, body: content, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    dispatchEvent(new Event("chemvae-offline"));
    throw new Refusal("chemvae does not answer. Is chemvae serve still running?", 0);
  }
  dispatchEvent(new Event("chemvae-online"));
  if (response.status === 204) return {};
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(sentence(answer) ?? `The server answered ${response.status} to ${path}.`, response.status);
  return answer;
}

/** The sentence of a refusal; a framework's own list of complaints in the same place. */
function sentence({ error, detail }) {
  if (typeof error === "string") return error;
  if (Array.isArray(detail)) return detail.map((one) => `${(one.loc ?? []).slice(1).join(".")}: ${one.msg}`).join("; ");
  return typeof detail === "string" ? detail : null;
}

export const get = (path, signal) => ask("GET", path, null, signal);
export const post = (path, body, signal) => ask("POST", path, body, signal);
export const change = (path, body) => ask("PATCH", path, body);
export const remove = (path) => ask("DELETE", path, null);

/** Send a file; resolves to what the server says of it. */
export function send(path, file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return ask("POST", path, form);
}
