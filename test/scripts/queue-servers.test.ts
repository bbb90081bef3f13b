import { describe, expect, it } from "vitest";
import { absentPackages, queueAdvice } from "../../scripts/lib/queue-servers.mjs";

const none = () => false;
const all = () => true;

describe("what tests of queues need", () => {
  it("is Redis, ip, and Valkey where apt has it", () => {
    expect(absentPackages({ has: none, offers: all })).toEqual(["redis-server", "valkey-server", "iproute2"]);
    expect(absentPackages({ has: none, offers: none })).toEqual(["redis-server", "iproute2"]);
  });

  it("is not installed where it is there", () => {
    expect(absentPackages({ has: all, offers: all })).toEqual([]);
    expect(absentPackages({ has: (name) => name === "redis-server", offers: none })).toEqual(["iproute2"]);
    expect(absentPackages({ has: (name) => name !== "valkey-server", offers: all })).toEqual(["valkey-server"]);
    expect(absentPackages({ has: (name) => name !== "valkey-server", offers: none })).toEqual([]);
  });

  it("is told where it may not be installed", () => {
    expect(queueAdvice("debian", ["redis-server"])).toContain(
      "apt-get install -y --no-install-recommends redis-server",
    );
    expect(queueAdvice("macos", ["redis-server", "iproute2"])).toMatch(/Redis or Valkey/);
  });
});
