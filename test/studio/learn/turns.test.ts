import { expect, it } from "vitest";
import { Turns } from "../../../studio/src/learn/turns.js";

it("gives turns in the order of asking, one at a time", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const work = (name: string) =>
    turns.run(async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(`${name} ends`);
      return name;
    });
  expect(await Promise.all(["a", "b", "c"].map(work))).toEqual(["a", "b", "c"]);
  expect(seen).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

it("goes on after work that failed, and after a turn that is ended twice", async () => {
  const turns = new Turns();
  await expect(turns.run(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  const end = await turns.take();
  const next = turns.run(async () => "next");
  end();
  end();
  expect(await next).toBe("next");
});
