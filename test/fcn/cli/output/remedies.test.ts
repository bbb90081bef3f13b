import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorCode, io, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeFailure } from "../../../../packages/fcn/src/cli/output/errors.js";
import { fcn } from "../../../support/commandLine.js";
import { otherFiles } from "../../../support/other-files.js";
import { writeTinyData } from "../../training/tinyData.js";

const SOURCE = fileURLToPath(new URL("../../../../packages/kernels/src/errorCodes.ts", import.meta.url));
const CODES = [...readFileSync(SOURCE, "utf8").matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code as ErrorCode);
/** Options in braces, names of functions. Python of the people who wrote a file is none. */
const CODE_SPEAK = new RegExp(
  [
    String.raw`\{ ?\w+ ?[:,}]`,
    String.raw`(?<![\w.])(io|models|optim|nn)\.[a-z]\w*|\bweights\.arrays\b`,
    String.raw`\b(device|optimizer|module|net|loader)\.\w+\(`,
    String.raw`\b(save|load|read|write|create|encode|fetch)[A-Z]\w*`,
    String.raw`\b(detach|noGrad|backward|data|array|sum|assign)\(\)|\bnoGrad\b|\bnew \w+\(|\bawait\b|=>`,
    String.raw`\b(createDevice|retainGrad|requiresGrad|modelOptions|numClasses|headLabels)\b`,
  ].join("|"),
);

/** Whether text speaks to someone who writes code, not to someone at a command line. */
const speaksCode = (text: string): boolean => CODE_SPEAK.test(text);
const COMMANDS = ["convert", "train", "predict", "eval", "export", undefined];
const fixOf = (text: string): string => /^fix: (.*)$/m.exec(text)?.[1] ?? "";

describe("the remedy of an error at the command line", () => {
  it.each(CODES)("of the code %s speaks of no code", (code) => {
    const remedies = [
      "pass { strict: false } to load only what fits",
      "read it with io.readNpy",
      'or name its format: { format: "pth" }',
      "write the file again with saveModel",
      "build the net with models.create and loadStateDict",
      "call backward() before optimizer.step()",
      "wrap the work in device.scope()",
      "create a leaf with { requiresGrad: true }",
    ];
    for (const fix of remedies) {
      for (const command of COMMANDS) {
        const error = new TensorError({ code, message: "it failed", fix: { code: fix } });
        const { text } = describeFailure(error, { verbose: false, command });
        expect(fixOf(text)).toMatch(/\S/);
        expect([command, fix, speaksCode(fixOf(text))]).toEqual([command, fix, false]);
      }
    }
  });

  it("stays as it is where it suits both, PyTorch's code too", () => {
    for (const fix of [
      "save only the weights in PyTorch: torch.save(model.state_dict(), path)",
      "make it a dense tensor before it is saved: tensor.to_dense()",
      "fetch the file that it stands for: git lfs pull",
      "use one of: fcn8s-small, fcn_resnet50",
      "check the path and its permissions",
    ]) {
      const error = new TensorError({ code: "unsupported-file", message: "it failed", fix });
      expect(fixOf(describeFailure(error, { verbose: false, command: "predict" }).text)).toBe(fix);
    }
  });

  it("names flags with what the error knows", () => {
    const fix = "save the weights; or, pass { opaque }";
    const of = (code: ErrorCode, details: TensorError["details"], command: string): string =>
      fixOf(
        describeFailure(new TensorError({ code, message: "m", fix: { code: fix }, details }), {
          verbose: false,
          command,
        }).text,
      );
    const names = { names: ["a.B", "c.D"], file: "my net.pth" };
    expect(of("unsafe-pickle", names, "convert")).toMatch(/run it again with --opaque a\.B c\.D$/);
    expect(of("unsafe-pickle", names, "train")).toMatch(
      /fcn convert 'my net\.pth' weights\.safetensors --opaque a\.B c\.D$/,
    );
    const keys = { keys: ["generator", "critic"], file: "two.pth" };
    expect(of("ambiguous-checkpoint", keys, "convert")).toBe("choose one: --key generator or --key critic");
    expect(of("ambiguous-checkpoint", keys, "train")).toContain("fcn convert two.pth weights.safetensors --key critic");
    const prefixes = { prefixes: ["student.", "teacher."] };
    expect(of("ambiguous-prefix", prefixes, "train")).toBe("choose one: --prefix student. or --prefix teacher.");
  });
});

describe("fcn with files that are no weights", () => {
  const golden = (name: string) => fileURLToPath(new URL(`../../../golden/pth/${name}`, import.meta.url));
  let folder: string;
  const files: [name: string, what: RegExp, fix: RegExp][] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "remedies-"));
    await writeTinyData(join(folder, "data"), 3);
    for (const [i, [what, bytes, fix]] of otherFiles().entries()) {
      await writeFile(join(folder, `${i}.safetensors`), bytes);
      files.push([`${i}.safetensors`, new RegExp(what.replace(/[.()]/g, "\\$&")), fix]);
    }
    const w = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
    await writeFile(join(folder, "one.npy"), await io.encodeNpy(w));
    await io.writeSafetensors(join(folder, "bare.safetensors"), { "a.weight": w });
    for (const name of ["module.pth", "two.pth", "script.pth", "strange.pth", "sparse.pth", "objects.npz"]) {
      await writeFile(join(folder, name), readFileSync(golden(name)));
      files.push([name, /./, /./]);
    }
    files.push(["one.npy", /NumPy array|one array without a name/, /numpy\.savez/]);
    files.push(["bare.safetensors", /./, /./], ["absent.safetensors", /./, /./], ["data", /it is a folder/, /./]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const runs: Record<string, (file: string) => string[]> = {
    convert: (file) => [file, "out.safetensors"],
    train: (file) => ["--data", "data", "--model", "fcn8s-small", "--weights", file, "--out", "run", "--steps", "1"],
    predict: (file) => ["data/images/0.png", "--weights", file, "--out", "labelled"],
    eval: (file) => ["--data", "data", "--weights", file],
    export: (file) => ["--weights", file, "--onnx", "out.onnx"],
  };
  it.each(Object.keys(runs))("says at the command line what they are and what to do there: fcn %s", async (command) => {
    // Every third file for the slower commands. Without a net any names will do for fcn convert.
    const some =
      command === "convert"
        ? files.filter(([name]) => name !== "bare.safetensors")
        : files.filter((_, i) => i % 3 === Object.keys(runs).indexOf(command) % 3);
    for (const [file, what, fix] of some) {
      const { code, stderr } = await fcn([command, ...runs[command]!(file)], { cwd: folder });
      const error = /^error: (.*)$/m.exec(stderr)?.[1] ?? "";
      expect([file, code, error, fixOf(stderr)]).toEqual([
        file,
        1,
        expect.stringMatching(what),
        expect.stringMatching(fix),
      ]);
      expect([file, fixOf(stderr), speaksCode(fixOf(stderr))]).toEqual([file, expect.anything(), false]);
      expect(fixOf(stderr)).not.toMatch(/--verbose/);
    }
    expect((await readdir(folder)).filter((name) => /^out|tmp/.test(name))).toEqual([]);
  });
});
