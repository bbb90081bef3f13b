import { posix } from "node:path";

/**
 * Which part of a package imports which. A part is a folder or a file beside it: an import counts where the paths of
 * its two ends separate, so that `a/x.ts` -> `b/c/y.ts` says that `a` needs `b`. Every cycle of files is a cycle of
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

/** The strongly connected components of more than one node, each sorted; every cycle lies within one. */
function findCycles(graph) {
  const reached = new Map([...graph.keys()].map((node) => [node, reach(graph, node)]));
  const cycles = new Map();
  for (const [node, targets] of reached) {
    if (!targets.has(node)) continue;
    const cycle = [...targets.keys()].filter((target) => reached.get(target)?.has(node)).sort();
    cycles.set(cycle[0], cycle);
  }
  return [...cycles.values()];
}

/** A shortest cycle through a node that is on one, the node at both ends. */
function shortestCycle(graph, node) {
  const before = reach(graph, node);
  const path = [node];
  do path.unshift(before.get(path[0]));
  while (path[0] !== node);
  return path;
}

/**
 * The cycles of a graph of parts.
 * @param {Map<string, Map<string, string>>} graph
 * @returns {string[]} one line for each, with the places of its imports
 */
export function checkCycles(graph) {
  return findCycles(graph).map(([part]) => {
    const path = shortestCycle(graph, part);
    const places = path.slice(1).map((next, i) => graph.get(path[i]).get(next));
    return `${part}: import cycle: ${path.join(" -> ")}; see ${places.join(", ")}`;
  });
}
