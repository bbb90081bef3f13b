// The decisions of scripts/setup.mjs as pure functions.

/**
 * Whether npm install has work to do. Not `npm ci`: that refuses a lock file in which an optional package of another
 * platform is missing, which happens where a registry does not carry it.
 * @param {{ lockTime: number | null, installedTime: number | null, linked: boolean }} state time stamps of
 *   package-lock.json and of npm's own record node_modules/.package-lock.json (null: absent); whether every workspace
 *   is linked
 * @returns {boolean}
 */
export function needsInstall({ lockTime, installedTime, linked }) {
  return installedTime === null || !linked || (lockTime ?? 0) > installedTime;
}

/**
 * What the outcome of the adapter probe asks for.
 * @param {{ found: boolean, reason?: string }} probe
 * @param {{ family: string, root: boolean, sudo: boolean, installed: boolean }} system `installed`: the installer
 *   already ran
 * @returns {"ready" | "install" | "install-with-sudo" | "advise" | "package"}
 */
export function adapterStep(probe, { family, root, sudo, installed }) {
  if (probe.found) return "ready";
  if (probe.reason === "package") return "package";
  if (family !== "debian" || installed) return "advise";
  if (root) return "install";
  return sudo ? "install-with-sudo" : "advise";
}

/**
 * What absent Debian packages ask for.
 * @param {{ missing: readonly string[], family: string, root: boolean, sudo: boolean }} system
 * @returns {"ready" | "install" | "advise"}
 */
export function packagesStep({ missing, family, root, sudo }) {
  if (missing.length === 0) return "ready";
  return family === "debian" && (root || sudo) ? "install" : "advise";
}

/** The answer of the probe process, from what it printed and how it ended. */
export function readProbe({ stdout, signal, status }) {
  const line = (stdout ?? "").trim().split("\n").at(-1) ?? "";
  try {
    const result = JSON.parse(line);
    if (typeof result.found === "boolean") return result;
  } catch {}
  return {
    found: false,
    reason: "crash",
    message: `the probe ended with ${signal ?? `exit code ${status}`} before it answered`,
  };
}
