import { spawnSync } from "node:child_process";
import { models } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";

type Shell = "bash" | "zsh" | "fish";

const isThere = (shell: Shell): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

/** How each shell is asked what it would offer for the last of some words, without a terminal. */
const ASK: Readonly<Record<Shell, (words: readonly string[]) => string>> = {
  bash: (words) => `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_fcn; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words) => `words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}
_fcn`,
  fish: (words) => `complete -C '${words.join(" ")}'`,
};
/** What zsh has only while it completes; it picks from what is added by the beginning itself. */
const BEFORE: Readonly<Record<Shell, string>> = {
  bash: "",
  zsh: "compdef() {}\n_files() { print FILES }\ncompadd() { shift; print -l -- $@ }",
  fish: "",
};

async function offers(shell: Shell, ...words: string[]): Promise<string[]> {
  const { code, stdout } = await fcn(["completion", shell]);
  expect(code).toBe(0);
  const script = [BEFORE[shell], stdout, ASK[shell](["fcn", ...words])].join("\n");
  const child = spawnSync(shell, ["-c", script], { encoding: "utf8", timeout: 30_000 });
  expect(child.stderr).toBe("");
  const found = child.stdout.split("\n").map((line) => line.split("\t")[0] as string);
  return found.filter((line) => line !== "" && (shell !== "zsh" || line.startsWith(words.at(-1) ?? "")));
}

describe.each(["bash", "zsh", "fish"] as const)("the script for %s", (shell) => {
  it.runIf(isThere(shell))("offers commands, options and names where each may stand", async () => {
    expect((await offers(shell, "tr"))[0]).toBe("train");
    expect((await offers(shell, "")).slice().sort()).toEqual(expect.arrayContaining(["data", "models", "weights"]));
    expect(await offers(shell, "data", "c")).toEqual(expect.arrayContaining(["check", "compose"]));
    expect(await offers(shell, "train", "--weight-d")).toEqual(["--weight-decay"]);
    expect(await offers(shell, "data", "check", "--contact")).toEqual(["--contact-sheet"]);
    const wanted = models.list().filter((name) => name.startsWith("fcn8s-v"));
    expect((await offers(shell, "train", "--model", "fcn8s-v")).sort()).toEqual([...wanted].sort());
    expect((await offers(shell, "models", "fcn8s-v")).sort()).toEqual([...wanted].sort());
    expect(await offers(shell, "weights", "fetch", "torchvision/resnet3")).toEqual(["torchvision/resnet34"]);
    expect(await offers(shell, "bench", "--adapter", "s")).toEqual(["software"]);
    expect(await offers(shell, "completion", "fi")).toEqual(["fish"]);
  });

  it.runIf(isThere(shell))("offers no option after one that takes a file", async () => {
    for (const found of await offers(shell, "train", "--weights", "")) expect(found).not.toMatch(/^--/);
  });
});

it("a shell that there is no script for is wrong use", async () => {
  expect(await fcn(["completion", "tcsh"])).toMatchObject({
    code: 2,
    stderr: 'error: the shell is "tcsh"\nfix: use one of: bash, zsh, fish\n',
  });
});
