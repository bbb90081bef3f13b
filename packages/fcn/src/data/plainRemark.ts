import type { DataRemark } from "./dataset.js";
import { quoted } from "./errors.js";

/** A remark whose texts can be printed: what it quotes of files has no control characters and is not endless. */
export const plainRemark = (remark: DataRemark): DataRemark => ({
  ...remark,
  text: quoted(remark.text),
  ...(remark.commandText === undefined ? {} : { commandText: quoted(remark.commandText) }),
});
