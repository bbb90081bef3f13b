import { existsSync, readFileSync } from "node:fs";

const STATUS = "/proc/self/status";

/**
 * The most memory that this process has had, in bytes. Linux counts what its parent held into `maxRSS`, and has the
 * process's own as VmHWM.
 */
export function processPeak() {
  const line = existsSync(STATUS) && /VmHWM:\s+(\d+) kB/.exec(readFileSync(STATUS, "utf8"));
  return (line ? Number(line[1]) : process.resourceUsage().maxRSS) * 1024;
}
