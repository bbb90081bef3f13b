/** A parameter in a step. */
export interface Updated {
  /** Elements of the parameter. */
  readonly count: number;
  /** Whether its buffers hold nothing yet. */
  readonly isFirst: boolean;
}

/** A parameter in a step that follows the record of a torch.amp.GradScaler. */
export interface ScaledStepped extends Updated {
  /** Which place of m2 holds the steps taken before this one; the other is written. */
  readonly at: 0 | 1;
  /** The steps taken before this one, where m2 holds nothing yet. */
  readonly taken: number | undefined;
  /** Whether there is a record. Without one the gradient counts as it is and the step is taken. */
  readonly isGuarded: boolean;
}

/** The parameters of a step without a scaler. */
export const UNSCALED = { isGuarded: 0, at: 0, taken: -1 };

/** Those of a step that follows the record of a scaler. */
export const scaledParams = ({ at, taken = -1, isGuarded }: ScaledStepped) => ({
  isGuarded: Number(isGuarded),
  at,
  taken,
});
