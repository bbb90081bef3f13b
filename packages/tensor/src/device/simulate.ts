import { invalidArgument } from "../errors.js";
import { isNode } from "../node.js";

const FAULTS = ["out-of-memory", "device-lost"] as const;
type SimulatedFault = (typeof FAULTS)[number];

/**
 * A simulated fault, for tests: FCN_SIMULATE=out-of-memory@N refuses the N-th memory request of a device, and
 * FCN_SIMULATE=device-lost@N destroys the GPUDevice at the N-th batch of commands. N counts from 1 for each device.
 */
export class Simulation {
  #left: number;

  constructor(
    private readonly fault: SimulatedFault,
    count: number,
  ) {
    this.#left = count;
  }

  /** The fault that the environment asks for. Throws `invalid-argument` if there is no such fault. */
  static fromEnvironment(): Simulation | undefined {
    const text = isNode() ? process.env.FCN_SIMULATE : undefined;
    if (!text) return undefined;
    const [name, count] = text.split("@");
    const fault = FAULTS.find((known) => known === name);
    if (fault && count !== undefined && /^[1-9]\d*$/.test(count)) return new Simulation(fault, Number(count));
    throw invalidArgument(
      `createDevice: the environment variable FCN_SIMULATE is ${JSON.stringify(text)}`,
      `set it to ${FAULTS.map((known) => `${known}@N`).join(" or ")} with a whole number N from 1 on, or unset it`,
    );
  }

  /** Counts an occasion for the fault, and returns whether it is due. */
  isDue(fault: SimulatedFault): boolean {
    return fault === this.fault && --this.#left === 0;
  }
}
