import { expect, it } from "vitest";
import { fcn } from "../../support/commandLine.js";

const COMMANDS = ["train", "eval", "predict", "convert", "export", "tune", "bench", "demo", "doctor", "models"];
const NESTED = ["data check", "data compose", "weights list", "weights fetch", "weights path"];

it.each([...COMMANDS, ...NESTED])(
  "fcn %s --help says of each option with a value what holds without it",
  async (name) => {
    const { code, stdout } = await fcn([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    const options =
      stdout
        .slice(stdout.indexOf("Options:"))
        .split(/\n\n/)[0]
        ?.split(/\n {2}(?=-)/) ?? [];
    expect(options.length).toBeGreaterThan(1);
    const valued = options.map((text) => text.replace(/\s+/g, " ")).filter((text) => /^--\S+ </.test(text));
    for (const text of valued)
      expect(text.match(/\(default: \S/g)?.length ?? 0, text).toBe(/\(required\)/.test(text) ? 0 : 1);
  },
);

it("marks the options that a command cannot do without, and names all that are missing", async () => {
  const { stdout } = await fcn(["eval", "--help"]);
  expect(stdout.match(/\(required\)/g)).toHaveLength(2);
  expect(await fcn(["eval"])).toMatchObject({
    code: 2,
    stderr: "error: --data <dir> and --weights <file...> are missing\nfix: add --data <dir> --weights <file...>\n",
  });
});
