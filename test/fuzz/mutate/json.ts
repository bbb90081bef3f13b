import type { Random } from "../random.js";

/** JSON with what JSON.parse loses: the order and repetition of names, and numbers as they are written. */
type Node =
  | { readonly kind: "object"; readonly entries: [name: string, value: Node][] }
  | { readonly kind: "list"; readonly items: Node[] }
  | { readonly kind: "raw"; readonly text: string };

const raw = (text: string): Node => ({ kind: "raw", text });

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: "list", items: value.map(nodeOf) };
  if (typeof value === "object" && value !== null) {
    return { kind: "object", entries: Object.entries(value).map(([name, item]) => [name, nodeOf(item)]) };
  }
  return raw(JSON.stringify(value) ?? "null");
}

function write(node: Node): string {
  if (node.kind === "raw") return node.text;
  if (node.kind === "list") return `[${node.items.map(write).join(",")}]`;
  return `{${node.entries.map(([name, value]) => `${JSON.stringify(name)}:${write(value)}`).join(",")}}`;
}

/** Names that every object of JavaScript has, or that change its kind. */
export const HOSTILE_NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "prototype",
  "then",
  "length",
  "",
  "a\u0000b",
  "\ud800",
  "../../etc/passwd",
];

const NUMBERS = ["0", "-0", "-1", "1e308", "1e999", "-1e999", "5e-324", "2147483648", "4294967295", "9007199254740993"]
  .concat(["0.5", "1e5", "255", "256", "65536", "NaN", "Infinity", "-Infinity", "0x10", "1_000", "01"])
  .concat(["16383", "1000000"]);

const nested = (open: string, close: string, depth: number, inner = ""): string =>
  open.repeat(depth) + inner + close.repeat(depth);

/** A value of any kind. */
function anyValue(r: Random): Node {
  const choice = r.below(12);
  if (choice < 4) return raw(r.pick(NUMBERS));
  if (choice === 4) return raw(r.pick(["null", "true", "false", "undefined", ""]));
  if (choice === 5) return raw(JSON.stringify(r.pick(HOSTILE_NAMES)));
  if (choice === 6) return raw(JSON.stringify(r.pick(["a", "NaN", "1", "x".repeat(5000), "é", "\u202e", "\n", "[]"])));
  if (choice === 7) return raw(nested("[", "]", r.pick([2, 50, 1000, 20000])));
  if (choice === 8) return raw(nested('{"a":', "}", r.pick([2, 50, 1000, 20000]), "1"));
  if (choice === 9) return raw(r.pick(["[]", "{}", "[[]]", '{"__proto__":{"a":1}}', '{"toString":1}', '{"length":3}']));
  if (choice === 10) return raw(`[${Array.from({ length: 1 + r.below(8) }, () => r.pick(NUMBERS)).join(",")}]`);
  return raw(`[${"1,".repeat(r.below(20000))}1]`);
}

/** Where a node stands, so that it can be replaced. */
interface Slot {
  readonly node: Node;
  readonly replace: (node: Node) => void;
  readonly remove: () => void;
  readonly twice: () => void;
  readonly rename: (name: string) => void;
}

function slotsOf(root: Node): Slot[] {
  const slots: Slot[] = [];
  const visit = (node: Node): void => {
    if (node.kind === "list") {
      node.items.forEach((item, i) => {
        slots.push({
          node: item,
          replace: (other) => (node.items[i] = other),
          remove: () => node.items.splice(i, 1),
          twice: () => node.items.splice(i, 0, item),
          rename: () => {},
        });
        visit(item);
      });
    } else if (node.kind === "object") {
      node.entries.forEach((entry, i) => {
        slots.push({
          node: entry[1],
          replace: (other) => (entry[1] = other),
          remove: () => node.entries.splice(i, 1),
          twice: () => node.entries.splice(i, 0, [entry[0], entry[1]]),
          rename: (name) => (entry[0] = name),
        });
        visit(entry[1]);
      });
    }
  };
  visit(root);
  return slots;
}

function changeOne(root: Node, r: Random): Node {
  const slots = slotsOf(root);
  if (slots.length === 0 || r.chance(0.02)) return anyValue(r);
  const slot = r.pick(slots);
  const choice = r.below(10);
  if (choice < 4) slot.replace(anyValue(r));
  else if (choice === 4) slot.remove();
  else if (choice === 5) slot.twice();
  else if (choice === 6) slot.rename(r.pick(HOSTILE_NAMES));
  else if (choice === 7) slot.replace(raw(write(r.pick(slots).node)));
  else if (choice === 8 && slot.node.kind === "raw") slot.replace(raw(changeScalar(slot.node.text, r)));
  else if (slot.node.kind === "object") slot.node.entries.push([r.pick(HOSTILE_NAMES), anyValue(r)]);
  else if (slot.node.kind === "list") slot.node.items.push(raw(write(r.pick(slots).node)));
  else slot.replace(r.pick([{ kind: "list", items: [slot.node] }, raw(JSON.stringify(slot.node.text))] as Node[]));
  return root;
}

/** A number a little off, or a string with another letter. */
function changeScalar(text: string, r: Random): string {
  const value: unknown = parse(text);
  if (typeof value === "number") {
    return String(r.pick([value + 1, value - 1, -value, value * 2, value / 2, value + 0.5, value * 1e6, value * 1e15]));
  }
  if (typeof value !== "string" || value === "") return r.pick(NUMBERS);
  const at = r.below(value.length);
  const letter = r.chance(0.5) ? String.fromCharCode(r.below(128)) : r.pick(["/", "\\", "..", "\u0000", "é", "~", "%"]);
  return JSON.stringify(value.slice(0, at) + letter + value.slice(at + r.below(2)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** More levels than the functions here, which call themselves, go down into. */
const DEEPEST = 200;

function isDeep(text: string): boolean {
  let depth = 0;
  for (const letter of text) {
    if (letter === "[" || letter === "{") depth++;
    else if (letter === "]" || letter === "}") depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** Changes that keep most of a JSON text one; undefined where it is none to begin with. */
export function mutateJson(text: string, r: Random): string | undefined {
  const value = isDeep(text) ? undefined : parse(text);
  if (value === undefined) return undefined;
  let changed = write(changeOne(nodeOf(value), r));
  for (let more = r.below(3); more > 0; more--) {
    const again = isDeep(changed) ? undefined : parse(changed);
    if (again === undefined) break;
    changed = write(changeOne(nodeOf(again), r));
  }
  return changed;
}
