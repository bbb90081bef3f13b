import * as comlink from "comlink";
import { openStore } from "../store/store.js";
import type { Learner } from "./learner.js";
import { noteOf } from "./notes.js";
import { StudioLearner } from "./studioLearner.js";

const learner = openStore().then((store) => new StudioLearner(store));

/** Calls a function of the learner. What it throws crosses to the page as a note. */
const call =
  <Name extends keyof Learner>(name: Name) =>
  async (...args: unknown[]): Promise<unknown> => {
    try {
      const own = await learner;
      return await (own[name] as (...given: unknown[]) => Promise<unknown>).apply(own, args);
    } catch (error) {
      throw noteOf(error);
    }
  };

const NAMES = [
  "open",
  "setSession",
  "setSettings",
  "train",
  "show",
  "setCanvas",
  "compare",
  "reset",
  "loadWeights",
  "save",
  "weights",
  "onnx",
  "labels",
] as const satisfies readonly (keyof Learner)[];

comlink.expose(Object.fromEntries(NAMES.map((name) => [name, call(name)])));
