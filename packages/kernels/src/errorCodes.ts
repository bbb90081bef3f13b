/** Which rule was broken. */
export type ErrorCode = TensorCode | NetCode;

/** Codes of what concerns tensors, devices and files of weights. */
export type TensorCode =
  // An option or a value that the function does not take.
  | "invalid-argument"
  // Operands whose shapes do not fit the function or one another.
  | "invalid-shape"
  // An operand of another element type than the function takes.
  | "invalid-dtype"
  // More elements, dimensions or bytes than the device or the kernels can number or show.
  | "limit-exceeded"
  // A class index outside the classes that is not `ignoreIndex`.
  | "label-out-of-range"
  // NaN or infinity, in debug mode.
  | "not-finite"
  // Operands of several devices.
  | "device-mismatch"
  // A tensor after its end.
  | "disposed"
  // A captured function that does what cannot be replayed.
  | "not-replayable"
  // Two scopes that neither nest nor follow one another.
  | "scope-overlap"
  // Backward from a tensor that no leaf with `requiresGrad` leads to.
  | "no-gradient"
  // A second backward through a graph that the first one freed.
  | "graph-freed"
  // Backward through values that were changed in place after the forward pass.
  | "modified-in-place"
  // Saved values whose names, shapes or settings are not those of the module or optimiser.
  | "state-dict-mismatch"
  // A runtime without WebGPU.
  | "no-webgpu"
  // A machine without the adapter that was asked for.
  | "no-adapter"
  // A device that was destroyed or failed.
  | "device-lost"
  // Memory that the GPU or the host does not have.
  | "out-of-memory"
  // A kernel that the adapter refuses.
  | "kernel-compile"
  // A command that the GPU refuses: a defect of the library.
  | "gpu-error"
  // What no use of the library should bring about: a defect of the library.
  | "defect"
  // A file that is incomplete, damaged or of another format.
  | "corrupt-file"
  // A sound file that holds what is not read; `details.is` says what a file of another kind is.
  | "unsupported-file"
  // A checkpoint that names classes or functions which are not on the list of harmless ones; `details.names` has all of
  // them.
  | "unsafe-pickle"
  // A checkpoint with several sets of weights; `details.keys` has where they are.
  | "ambiguous-checkpoint"
  // A file in which the names of a net stand below several prefixes; `details.prefixes` has these.
  | "ambiguous-prefix"
  // A file that is missing or may not be read.
  | "unreadable-file"
  // A file that may not be written.
  | "unwritable-file"
  // A file that the disk has no room for.
  | "disk-full"
  // Reading from a file that was closed.
  | "closed-file"
  // What this runtime cannot do.
  | "unsupported";

/** Codes of what concerns data sets, nets, runs and the command line. */
export type NetCode =
  // Data that are not where they should be, or of which nothing is left.
  | "missing-data"
  // A label map that a head needs and that the samples lack.
  | "missing-labels"
  // An image or mask of another size than what belongs to it.
  | "size-mismatch"
  // Bands of an image that are no colours.
  | "unsupported-bands"
  // An image of more than 8 bits whose values have no known range.
  | "range-needed"
  // An image of another depth than those that the net was trained with.
  | "other-depth"
  // An image that could not be loaded, for a reason outside of the library.
  | "unreadable-sample"
  // A list of classes that contradicts itself, or that cannot be read.
  | "invalid-classes"
  // A colour of a mask that no class has.
  | "unknown-colour"
  // The name of a label that is not among the classes.
  | "unknown-label"
  // A shape of an annotation that cannot be drawn.
  | "bad-shape"
  // Two entries of an annotation file that have one id.
  | "duplicate-id"
  // An entry of an annotation file that cannot be read.
  | "bad-entry"
  // An entry of an annotation file whose image is not there.
  | "missing-image"
  // Two images or lists that have one name.
  | "same-name"
  // An image that several annotation files are about.
  | "same-image"
  // A name that several images have.
  | "ambiguous-name"
  // An image to which several masks belong.
  | "ambiguous-mask"
  // Masks whose palettes list the colours in several orders.
  | "palettes-differ"
  // Grey masks whose levels are no classes.
  | "grey-levels"
  // Masks with blurred edges between classes.
  | "soft-edges"
  // Masks whose shapes are in their opacity alone.
  | "shapes-in-alpha"
  // A data set with problems that keep it from being used.
  | "data-problems"
  // A worker thread in which a task failed.
  | "worker-failed"
  // A worker thread that died.
  | "worker-died"
  // A loader or pool that was closed while it was at work.
  | "closed"
  // A file that is no weights file of this library, or a damaged one.
  | "invalid-file"
  // Classes of a net and of data that are not the same.
  | "class-mismatch"
  // A checkpoint of another run or version.
  | "checkpoint-mismatch"
  // A net that was read back and is not the one that was written.
  | "reload-mismatch"
  // A loss or a weight that became NaN or infinite in training.
  | "diverged"
  // A training that changed nothing.
  | "nothing-learned"
  // A run that was stopped by its caller.
  | "aborted"
  // A folder that holds a run already.
  | "run-exists"
  // A folder that another run writes into.
  | "folder-in-use"
  // A folder that holds something else already.
  | "folder-exists"
  // A file that would be written over.
  | "file-exists"
  // An output that is the same file as an input.
  | "same-file"
  // Some images could not be predicted.
  | "images-failed"
  // A download without a connection.
  | "no-network"
  // A download that the server refuses.
  | "download-refused"
  // A download with other bytes than were published, or weights that are not those that a job names.
  | "checksum-mismatch"
  // An optional package that is not installed.
  | "missing-package"
  // A queue server that does not answer, or refuses the login.
  | "no-queue"
  // A queue server that would lose jobs, or whose clock is apart.
  | "unfit-queue"
  // A queue on which another version of the library has work.
  | "other-version"
  // A run of a queue that there is not.
  | "unknown-run"
  // Wrong use of the command line.
  | "usage";
