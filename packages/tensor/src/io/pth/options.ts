export interface ReadPthOptions {
  /**
   * Which state dict of a checkpoint: its key ("model"), keys joined by dots, or "" for the file itself. Default: the only one, or
   * the one with a usual name (model_state_dict, state_dict, model, net, ...).
   */
  readonly key?: string | undefined;
  /** Drop the `module.` of DataParallel and the `_orig_mod.` of torch.compile where every name has it. Default true. */
  readonly unwrap?: boolean | undefined;
  /** Further classes, as "package.Class", to read as inert data where a file is refused because of one. */
  readonly opaque?: readonly string[] | undefined;
}
