import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly count: number;
}
interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Which blocks of the packages have run, as V8 counts them. */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** The blocks that ran since the last call and never before a {@link remember}. */
  take(): string[] {
    const { result } = this.#post("Profiler.takePreciseCoverage") as { result: readonly Script[] };
    const found = new Set<string>();
    for (const { url, functions } of result) {
      if (!url.includes("/packages/")) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, count } of ranges) if (count > 0) found.add(`${url}:${startOffset}`);
      }
    }
    return [...found].filter((block) => !this.#seen.has(block));
  }

  remember(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block);
  }

  /** Blocks that have run so far. */
  get blocks(): number {
    return this.#seen.size;
  }

  /** The result comes before `post` returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}
