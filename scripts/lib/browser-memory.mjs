import { readdirSync, readFileSync } from "node:fs";

const KINDS = { renderer: "page", "gpu-process": "gpu", browser: "browser" };

/** The processes that this one started, and those that they started: `{ pid, kind }`, by what Chromium calls them. */
function processes() {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, parent] = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      parents.set(Number(name), Number(parent));
    } catch {
      // It ended in the meantime.
    }
  }
  const isBelow = (pid) => pid !== undefined && (parents.get(pid) === process.pid || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow).flatMap((pid) => {
    const command = read(pid, "cmdline").split("\0").join(" ");
    const kind = /--type=([\w-]+)/.exec(command)?.[1] ?? "browser";
    return kind in KINDS ? [{ pid, kind: KINDS[kind] }] : [];
  });
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Bytes that the processes of Chromium hold by kind, where each page of memory that several share counts in parts. */
function held() {
  const sums = { page: 0, gpu: 0, browser: 0 };
  for (const { pid, kind } of processes()) {
    const [, kib = 0] = /^Pss:\s+(\d+)/m.exec(read(pid, "smaps_rollup")) ?? [];
    sums[kind] += 1024 * Number(kib);
  }
  return sums;
}

/**
 * Reads the memory of the Chromium that this process started four times a second, on Linux. `most()` gives the largest
 * values since it was last asked: `{ page, gpu, browser, heap }` in bytes, where `heap` is JavaScript's of the page.
 */
export async function watchMemory(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable");
  let most = {};
  let isOver = false;
  const look = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    const heap = metrics.find(({ name }) => name === "JSHeapUsedSize").value;
    for (const [name, bytes] of Object.entries({ ...held(), heap })) most[name] = Math.max(most[name] ?? 0, bytes);
  };
  const watching = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  return {
    async most() {
      await look();
      const found = most;
      most = {};
      return found;
    },
    async stop() {
      isOver = true;
      await watching;
    },
  };
}
