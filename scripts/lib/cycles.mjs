/**
 * A cycle in a directed graph as the list of its nodes, the first repeated at the end, or null.
 * @param {Map<string, string[]>} graph
 */
export function findCycle(graph) {
  const done = new Set();
  const path = [];
  const onPath = new Set();
  const visit = (node) => {
    if (onPath.has(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    path.push(node);
    onPath.add(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    onPath.delete(node);
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return null;
}
