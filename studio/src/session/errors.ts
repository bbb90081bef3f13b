/** What a person has to be told, by kind. */
export type StudioCode =
  /** A class, an image or a stroke that the session does not have. */
  | "unknown-item"
  /** A name or a colour that is empty or taken, or more classes than masks can tell apart. */
  | "invalid-class"
  /** A file that is no image, or one that browsers cannot read. */
  | "invalid-image"
  /** An image with more pixels than the studio takes. */
  | "image-too-large"
  /** A zip or a folder that is damaged or holds something else. */
  | "invalid-data-set"
  /** The browser has no room left for what is kept between visits. */
  | "storage-full"
  /** The browser keeps nothing for this page. */
  | "storage-denied"
  /** What is kept cannot be read. */
  | "storage-damaged"
  /** A net whose layers are its own, which cannot get other classes. */
  | "own-graph"
  /** A net without forms of strides 32, 16 and 8. */
  | "no-strides"
  /** Weights that the page serves and that cannot be loaded. */
  | "no-weights"
  /** Something that needs a net while there is none. */
  | "no-net"
  /** A GPU that is lost again and again. */
  | "gpu-lost"
  /** The browser lacks what the studio needs. */
  | "unsupported-browser";

/** A mistake told to the person in front of the page: `message` says what is wrong, `fix` what to do about it. */
export class StudioError extends Error {
  readonly code: StudioCode | (string & {});
  readonly fix: string;

  /**
   * @param code the kind of mistake
   * @param message one sentence: what was given and what was expected, with numbers
   * @param fix one sentence: what the person can do
   */
  constructor(code: StudioCode | (string & {}), message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StudioError";
    this.code = code;
    this.fix = fix;
  }
}
