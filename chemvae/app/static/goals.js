// What a search is for: how much a score is wanted, and what it measures.

/** How much a score is wanted, the larger the better: of one goal it is the value itself, of several their desirability. */
export function meritOf(settings) {
  const { role, target } = wanted(settings);
  return { target: (score) => -Math.abs(score - target), min: (score) => -score, max: (score) => score }[role];
}

function wanted(settings) {
  const goals = settings?.goals ?? [];
  const [{ direction, target } = {}] = goals;
  if (goals.length !== 1) return { role: "max" };
  return Number.isFinite(target ?? NaN) ? { role: "target", target } : { role: direction === "min" ? "min" : "max" };
}

/** The order of a search's table, the best first: the lowest, the highest, or what lies nearest to a target. */
export function bestFirst(settings) {
  const { role } = wanted(settings);
  return role === "target" ? { name: "score", down: true, merit: meritOf(settings) } : { name: "score", down: role === "max" };
}

/** Whether two searches score by the same: then their scores can be compared. */
export const scoresAlike = (a, b) => scoredBy(a) === scoredBy(b);

function scoredBy({ oracle, goals }) {
  return JSON.stringify([oracle ?? "", ...(goals ?? []).map(({ name, direction, target, weight }) => [name, target ?? direction, weight].join()).sort()]);
}
