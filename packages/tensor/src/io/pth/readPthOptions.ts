import type { ReadOptions } from "../content/skipped.js";

export interface ReadPthOptions extends ReadOptions {
  /**
   * The state dict to read from a checkpoint: its key ("model"), keys joined by dots (indices for lists: "models.0"),
   * or "" for the file itself. Default: the only one, or the one with a usual name (model_state_dict, state_dict,
   * model, net, ...).
   */
  readonly key?: string | undefined;
  /**
   * Drop what PyTorch's wrappers add to names: `_orig_mod.` (torch.compile), `_fsdp_wrapped_module.` and
   * `_checkpoint_wrapped_module.` anywhere, and, if every name has it, the `module.` of DataParallel and AveragedModel
   * together with the latter's `n_averaged`. Default true.
   */
  readonly unwrap?: boolean | undefined;
  /** Further classes, as "package.Class", to read as inert data if a file is refused because of one. */
  readonly opaque?: readonly string[] | undefined;
}
