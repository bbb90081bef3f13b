import { posix } from "node:path";

/**
 * Which part of a package imports which. A part is a folder or a file beside it: an import counts where the paths of
 * its two ends separate, so that `a/x.ts` -> `b/c/y.ts` says that `a` needs `b`. Every circle of files is a circle of
 * parts too.
 * @param {{ from: string, to: string, line: number }[]} imports between source files, paths with "/"
 * @returns {Map<string, Map<string, string>>} for each part those that it needs, with the place of one such import
 */
export function graphOfParts(imports) {
  const graph = new Map();
  for (const { from, to, line } of imports) {
    const [steps, others] = [from.split("/"), to.split("/")];
    const fork = steps.findIndex((step, i) => step !== others[i]);
    if (fork < 0) continue;
    const [part, needed] = [steps, others].map((path) => posix.join(...path.slice(0, fork + 1)));
    if (!graph.has(part)) graph.set(part, new Map());
    if (!graph.get(part).has(needed)) graph.get(part).set(needed, `${from}:${line}`);
  }
  return graph;
}

/** The nodes that can be reached from `start`, each with the one before it on a shortest path. */
function reach(graph, start) {
  const before = new Map();
  const queue = [start];
  for (const node of queue) {
    for (const next of graph.get(node)?.keys() ?? []) {
      if (before.has(next)) continue;
      before.set(next, node);
      queue.push(next);
    }
  }
  return before;
}

/** The circles of a graph (its strongly connected components of more than one node), each sorted. */
function findCircles(graph) {
  const reached = new Map([...graph.keys()].map((node) => [node, reach(graph, node)]));
  const circles = new Map();
  for (const [node, targets] of reached) {
    if (!targets.has(node)) continue;
    const circle = [...targets.keys()].filter((target) => reached.get(target)?.has(node)).sort();
    circles.set(circle[0], circle);
  }
  return [...circles.values()];
}

/** The nodes of a shortest way from a node on a circle back to it, the node at both ends. */
function wayBack(graph, node) {
  const before = reach(graph, node);
  const way = [node];
  do way.unshift(before.get(way[0]));
  while (way[0] !== node);
  return way;
}

/**
 * The circles of a graph of parts that are not within one of the `known` ones, and the parts of `known` that are on no
 * circle.
 * @param {Map<string, Map<string, string>>} graph
 * @param {string[][]} known the parts on each circle that is put up with
 * @returns {string[]} one line for each offence
 */
export function checkCircles(graph, known) {
  const circles = findCircles(graph);
  const problems = circles.flatMap((circle) => {
    const allowed = known.find((parts) => parts.some((part) => circle.includes(part))) ?? [];
    const stranger = circle.find((part) => !allowed.includes(part));
    if (stranger === undefined) return [];
    const way = wayBack(graph, stranger);
    const places = way.slice(1).map((part, i) => graph.get(way[i]).get(part));
    return [`${stranger}: import cycle: ${way.join(" -> ")}; see ${places.join(", ")}`];
  });
  const onCircles = new Set(circles.flat());
  const idle = known.flat().filter((part) => !onCircles.has(part));
  return [...problems, ...idle.map((part) => `${part}: on no import cycle: take it out of KNOWN_CIRCLES`)];
}
