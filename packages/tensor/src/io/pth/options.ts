import type { ReadOptions } from "../skipped.js";

export interface ReadPthOptions extends ReadOptions {
  /**
   * Which state dict of a checkpoint: its key ("model"), keys joined by dots (of a list the index: "models.0"), or ""
   * for the file itself. Default: the only one, or the one with a usual name (model_state_dict, state_dict, model, net,
   * ...).
   */
  readonly key?: string | undefined;
  /**
   * Drop what wrappers of PyTorch add to names: `_orig_mod.` (torch.compile), `_fsdp_wrapped_module.` and
   * `_checkpoint_wrapped_module.` wherever they stand, and the `module.` of DataParallel and AveragedModel, with the
   * `n_averaged` of the latter, where every name has it. Default true.
   */
  readonly unwrap?: boolean | undefined;
  /** Further classes, as "package.Class", to read as inert data where a file is refused because of one. */
  readonly opaque?: readonly string[] | undefined;
}
