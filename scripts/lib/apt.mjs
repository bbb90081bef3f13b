// Debian and Ubuntu: which apt steps bring a Mesa that Dawn accepts. Pure functions, which
// install-software-adapter.mjs runs.
import { MINIMUM_MESA } from "../../packages/fcn/bin/advice.mjs";

/** Upstream major version of a Debian package version such as `1:25.0.7-2~bpo12+1`; 0 when there is none. */
export function majorVersion(version) {
  const match = /^(?:\d+:)?(\d+)/.exec(version ?? "");
  return match ? Number(match[1]) : 0;
}

/** The candidate version in the output of `apt-cache policy PACKAGE`, or null. */
export function parseCandidate(policy) {
  const match = /^\s*Candidate:\s*(\S+)/m.exec(policy);
  return match && match[1] !== "(none)" ? match[1] : null;
}

/** Reads deb822 stanzas (`*.sources`). Values keep their continuation lines, which an inline Signed-By key needs. */
export function parseDeb822(text) {
  const stanzas = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/);
  return stanzas
    .map(parseStanza)
    .filter((fields) => fields.types !== undefined && fields.uris !== undefined)
    .map(toSource);
}

function parseStanza(stanza) {
  const fields = {};
  let name = null;
  for (const line of stanza.split("\n")) {
    const match = /^([A-Za-z][A-Za-z-]*):[ \t]*(.*)$/.exec(line);
    if (match) {
      name = match[1].toLowerCase();
      fields[name] = match[2].trimEnd();
    } else if (name !== null && /^[ \t]/.test(line)) {
      fields[name] += `\n${line.trimEnd()}`;
    }
  }
  return fields;
}

function toSource(fields) {
  const words = (value) => (value ?? "").split(/\s+/).filter((word) => word !== "");
  return {
    enabled: !/^(no|false)$/i.test(fields.enabled ?? "yes"),
    types: words(fields.types),
    uris: words(fields.uris),
    suites: words(fields.suites),
    components: words(fields.components),
    options: pick(fields, OPTIONS),
  };
}

const OPTIONS = ["signed-by", "trusted", "architectures"];
const ONE_LINE_NAMES = { arch: "architectures" };

function pick(fields, names) {
  return Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}

/** Reads one-line entries: `deb [signed-by=... arch=amd64] URI suite component...` (sources.list). */
export function parseOneLine(text) {
  const sources = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) continue;
    const [, type, options = "", uri, suite, rest] = match;
    const fields = {};
    for (const option of options.split(/\s+/).filter(Boolean)) {
      const [name, value = ""] = option.split(/=(.*)/s);
      fields[ONE_LINE_NAMES[name] ?? name] = value.replaceAll(",", " ");
    }
    const components = rest.split(/\s+/).filter((word) => word !== "");
    sources.push({
      enabled: true,
      types: [type],
      uris: [uri],
      suites: [suite],
      components,
      options: pick(fields, OPTIONS),
    });
  }
  return sources;
}

/** Parses one file of apt's sources by its name. */
export function parseSources(name, text) {
  if (name.endsWith(".sources")) return parseDeb822(text);
  return name.endsWith(".list") ? parseOneLine(text) : [];
}

/**
 * A deb822 stanza for the backports of `codename`, made from the entry that this machine takes the release itself from,
 * or null when it has none. Mirror, key and options stay those of the machine.
 */
export function backportsStanza(sources, codename) {
  const base = sources.find(
    (source) =>
      source.enabled &&
      source.types.includes("deb") &&
      source.suites.includes(codename) &&
      source.components.includes("main"),
  );
  if (!base) return null;
  const titles = { "signed-by": "Signed-By", trusted: "Trusted", architectures: "Architectures" };
  const options = Object.entries(base.options).map(([name, value]) => `${titles[name]}: ${value}\n`);
  return `Types: deb\nURIs: ${base.uris.join(" ")}\nSuites: ${codename}-backports\nComponents: main\n${options.join("")}`;
}

/** Whether the machine already takes packages from the backports of `codename`. */
export function hasBackports(sources, codename) {
  return sources.some(
    (source) => source.enabled && source.types.includes("deb") && source.suites.includes(`${codename}-backports`),
  );
}

/**
 * The next step towards Mesa, given what apt knows.
 * @param {{ osRelease: Record<string, string>, installed: string | null, candidate: string | null,
 *   backports: string | null, sources: object[] }} state `candidate` is the version that a plain install would take,
 *   `backports` the one with `-t CODENAME-backports`
 * @returns {{ step: "none" | "install" | "enable-backports" | "give-up", target?: string, stanza?: string,
 *   reason?: string }}
 */
export function nextStep({ osRelease, installed, candidate, backports, sources }) {
  const codename = osRelease.VERSION_CODENAME ?? "";
  if (majorVersion(installed) >= MINIMUM_MESA) return { step: "none" };
  if (majorVersion(candidate) >= MINIMUM_MESA) return { step: "install" };
  const system = osRelease.PRETTY_NAME ?? osRelease.ID ?? "this system";
  const offer = candidate === null ? "offers no mesa-vulkan-drivers" : `offers Mesa ${candidate}`;
  if (osRelease.ID !== "debian" || codename === "") return { step: "give-up", reason: `${system} ${offer}` };
  if (majorVersion(backports) >= MINIMUM_MESA) return { step: "install", target: `${codename}-backports` };
  if (hasBackports(sources, codename)) {
    return {
      step: "give-up",
      reason: `${system} ${offer}, and its backports offer ${backports ? `Mesa ${backports}` : "none"}`,
    };
  }
  const stanza = backportsStanza(sources, codename);
  if (stanza === null)
    return {
      step: "give-up",
      reason: `${system} ${offer}, and no apt source for "${codename} main" was found to take backports from`,
    };
  return { step: "enable-backports", stanza };
}
