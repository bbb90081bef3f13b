import { vi } from "vitest";
import { runCommand } from "../../packages/fcn/src/cli/main.js";

/** What a command printed, and its exit code. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** The working folder; that of the tests where it is left out. */
  readonly cwd?: string;
  /** Variables of the environment, on top of those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command line of fcn in this process, which saves what starting a program takes. The working folder, the
 * environment and both outputs are those of the process, so that commands run one at a time.
 */
export async function fcn(args: readonly string[], { cwd, env = {} }: Surroundings = {}): Promise<Outcome> {
  const printed = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk, encoding, callback?) => {
      printed[name] += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
      (typeof encoding === "function" ? encoding : callback)?.();
      return true;
    }),
  );
  const before = process.cwd();
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  if (cwd !== undefined) process.chdir(cwd);
  try {
    return { code: await runCommand(args), ...printed };
  } finally {
    process.chdir(before);
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}
