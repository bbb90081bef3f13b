import { describe, expect, it } from "vitest";
import { newestOnly } from "../../../studio/src/app/newestOnly.js";

/** Sends by hand: each value waits until it is let go. */
function byHand() {
  const sent: number[] = [];
  const open: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];
  const send = (value: number): Promise<void> => {
    sent.push(value);
    return new Promise((resolve, reject) => open.push({ resolve, reject }));
  };
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  return { sent, open, send, turn };
}

describe("newestOnly", () => {
  it("sends one at a time, and of those that come meanwhile the newest alone", async () => {
    const { sent, open, send, turn } = byHand();
    const give = newestOnly(send, () => expect.unreachable());
    const all = [1, 2, 3].map(give);
    expect(sent).toEqual([1]);
    open[0]?.resolve();
    await turn();
    expect(sent).toEqual([1, 3]);
    open[1]?.resolve();
    await Promise.all(all);
    void give(4);
    expect(sent).toEqual([1, 3, 4]);
  });

  it("tells what is thrown and goes on", async () => {
    const { sent, open, send, turn } = byHand();
    const told: unknown[] = [];
    const give = newestOnly(send, (thrown) => told.push(thrown));
    const done = give(1);
    void give(2);
    open[0]?.reject("full");
    await turn();
    expect([sent, told]).toEqual([[1, 2], ["full"]]);
    open[1]?.resolve();
    await done;
  });
});
