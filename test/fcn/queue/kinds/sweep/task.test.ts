import { describe, expect, it } from "vitest";
import {
  checkPlain,
  readBy,
  type SweepTask,
  trialOptions,
} from "../../../../../packages/fcn/src/queue/kinds/sweep/task.js";

const task: SweepTask = {
  ...{ data: "/root/data", out: "/root/out", shown: "out", budgets: [null], eta: 1 },
  open: { sbd: "/elsewhere/sbd", validation: 0.2 },
  settings: { steps: 4, out: "/etc", preview: "/etc/passwd", overwrite: true, resume: false, view: {}, stopAt: 1 },
  trials: [{ name: "weights=a", settings: { weights: "/elsewhere/a", device: {}, constructor: 1 } }],
};
const [trial] = task.trials as [SweepTask["trials"][number]];

describe("a task that somebody else wrote", () => {
  it("sets nothing but settings, and no file to write", () => {
    expect(trialOptions(task, trial)).toEqual({ steps: 4, weights: "/elsewhere/a", open: task.open });
  });

  it("tells all that its trials read", () => {
    expect(readBy(task, trial)).toEqual(["/root/data", "/elsewhere/a", "/elsewhere/sbd"]);
  });
});

describe("checkPlain", () => {
  it.each([1, "a", true, null, undefined, [1, [2]], { a: { b: [0.5] } }])("takes %j", (value) => {
    expect(() => checkPlain("loss", value)).not.toThrow();
  });

  it.each([() => 1, Number.NaN, [Infinity], { a: new Map() }, new Uint8Array(2), { a: [() => 1] }])(
    "refuses what JSON does not keep: %s",
    (value) => expect(() => checkPlain("loss", value)).toThrow(/sweep: loss is or holds .* cannot be sent/),
  );
});
