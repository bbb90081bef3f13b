import { LiteralError, parseLiteral } from "./literal.js";

/** How browserify opens a bundle of one module: `{1:[function(require,module,exports){module.exports=`. */
const OPENING = /\{1:\[function\([\w$]+,([\w$]+),[\w$]+\)\{\1\.exports=/;
const CLOSING = "},{}]},{},[1])";
/** The loader before the module has less than a thousand characters. */
const PRELUDE = 4096;

/**
 * The data that a bundle (UMD, browserify) of one module exports as a literal: a model description or a base64 shard.
 * The text is read, never run. Throws {@link LiteralError} for other texts.
 */
export function readBundle(text: string): unknown {
  const opening = OPENING.exec(text.slice(0, PRELUDE));
  if (opening === null) throw new LiteralError("it is not a bundle of one module");
  const { value, end } = parseLiteral(text, opening.index + opening[0].length);
  if (!text.startsWith(CLOSING, end)) throw new LiteralError(`its module holds more than data, at character ${end}`);
  return value;
}
