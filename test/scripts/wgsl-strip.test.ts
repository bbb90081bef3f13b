import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseKernel } from "@fcn/kernels";
import { expect, it } from "vitest";
import { stripWgsl } from "../../scripts/lib/wgsl-strip.mjs";

const ROOT = fileURLToPath(new URL("../../packages/kernels/src", import.meta.url));
const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".wgsl"));

const TOKENS = /\s+|\w+(\.\w+)?|<<=|>>=|->|\+\+|--|&&|\|\||[-+*/%&|^!=<>]=|<<|>>|./gs;
/** The tokens of a source whose comments are all of one line, by the longest match, as the specification says. */
const tokens = (source: string): string[] =>
  (source.replace(/\/\/.*/g, "").match(TOKENS) ?? []).filter((token) => !/^\s/.test(token));

it.each(files)("%s keeps its tokens and its interface, and loses its comments and indents", (file) => {
  const source = readFileSync(join(ROOT, file), "utf8");
  const stripped = stripWgsl(source);
  expect(source).not.toMatch(/\/\*/);
  expect(tokens(stripped)).toEqual(tokens(source));
  expect(stripped).not.toMatch(/\/\/|^\s|\s$|\n\s|\s\n/);
  expect(stripped.length).toBeLessThan(source.length);
  const facts = (text: string) => {
    const { constants, ...rest } = parseKernel({ name: file, source: text });
    return { ...rest, source: "", constants: [...constants].map(([name, of]) => [name, of.type, tokens(of.text)]) };
  };
  expect(facts(stripped)).toEqual(facts(source));
});

it.each([
  ["a - -b", "a- -b"],
  ["a--; b", "a--;b"],
  ["let x: array<u32, 4> = y;", "let x:array<u32,4> =y;"],
  ["a /* one /* two */ still */ + b // end", "a+b"],
  ["u/**/32", "u 32"],
  ["if (x) {\n\n    y = 1u; // so\n  }\n", "if(x){\ny=1u;\n}"],
  ["fn a() -> u32 { return 1u; }", "fn a()->u32{return 1u;}"],
])("%j becomes %j", (source, stripped) => expect(stripWgsl(source)).toBe(stripped));
