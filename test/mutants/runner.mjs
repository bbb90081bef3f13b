import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import fc from "fast-check";
import { bundleTests } from "./bundle.mjs";

/** Where faulty code looks for the number of the fault that is on, and notes which test reached which fault. */
globalThis.__stryker__ ??= {};
const state = globalThis.__stryker__;

/**
 * Runs tests in the process of Stryker's worker: bundled once, without a worker or a transformation for each fault,
 * which takes most of the time of its runner for vitest.
 */
class SuiteRunner {
  #suite;
  #loads = 0;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    process.env.FCN_TUNING = "off";
    const tests = JSON.parse(process.env.MUTANTS_TESTS);
    this.outfile = `${process.cwd()}/mutants.mjs`;
    await bundleTests({ root: process.cwd(), entry: "entry.ts", outfile: this.outfile, tests });
    // A failed property is a fault that was noticed; the smallest input that shows it is of no use here.
    fc.configureGlobal({ endOnFailure: true });
  }

  async #load() {
    this.#suite = await import(`${this.outfile}?${this.#loads++}`);
    for (const [name, load] of Object.entries(this.#suite.files)) await this.#suite.collect(name, load);
  }

  async #run(bail, isChosen = () => true) {
    const found = [];
    const { tests, runTest } = this.#suite;
    for (const [i, test] of tests.entries()) {
      const id = `${i} ${test.file} > ${test.name}`;
      if (!isChosen(id)) continue;
      const start = performance.now();
      const result = { id, name: test.name, fileName: test.file, status: TestStatus.Success };
      state.currentTestId = id;
      try {
        await runTest(test);
      } catch (error) {
        Object.assign(result, { status: TestStatus.Failed, failureMessage: String(error) });
      }
      state.currentTestId = undefined;
      found.push({ ...result, timeSpentMs: performance.now() - start });
      if (bail && result.status === TestStatus.Failed) break;
    }
    return found;
  }

  async dryRun() {
    await this.#load();
    const tests = await this.#run(false);
    return { status: DryRunStatus.Complete, tests, mutantCoverage: state.mutantCoverage };
  }

  async mutantRun({ activeMutant, mutantActivation, testFilter, hitLimit, reloadEnvironment }) {
    Object.assign(state, { hitLimit, hitCount: hitLimit ? 0 : undefined });
    state.activeMutant = mutantActivation === "static" ? activeMutant.id : undefined;
    try {
      if (reloadEnvironment || !this.#suite) await this.#load();
    } catch (error) {
      return toMutantRunResult({ status: DryRunStatus.Error, errorMessage: String(error) });
    }
    state.activeMutant = activeMutant.id;
    const chosen = testFilter && new Set(testFilter);
    const tests = await this.#run(true, chosen ? (id) => chosen.has(id) : undefined);
    state.activeMutant = undefined;
    const endless = determineHitLimitReached(state.hitCount, hitLimit);
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests });
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "suite", SuiteRunner)];
