import type { TensorError } from "@fcn/tensor";
import { formatKey } from "../../decode/rule.js";
import { fileError } from "../../files/errors.js";
import type { DataRemark } from "../../files/remarks.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";

interface Place {
  readonly number: number;
  readonly file: string;
  readonly palette: readonly number[];
}

/**
 * Compares the palettes of masks whose stored numbers are the labels. Throws if a colour has another number in another
 * mask, because labels would be wrong. Warns if a number merely has another colour.
 */
export function paletteRemarks(surveys: readonly MaskSurvey[]): DataRemark[] {
  const places = new Map<number, Place>();
  for (const { file, keys, palette } of surveys) {
    for (const number of palette ? keys : []) {
      const colour = palette?.[number] as number;
      const place = places.get(colour);
      if (place === undefined) places.set(colour, { number, file, palette: palette as number[] });
      // A palette may repeat a colour, such as black for all unused entries.
      else if (place.palette[number] !== colour && palette?.[place.number] !== colour) {
        throw otherOrder(file, colour, number, place);
      }
    }
  }
  const coloured = surveys.filter((survey) => survey.palette);
  const [first] = coloured;
  const other = coloured.find(({ keys, palette }) => keys.some((key) => palette?.[key] !== first?.palette?.[key]));
  if (!first || !other) return [];
  const text = `its palette gives its numbers other colours than that of ${first.file}: one number may mean two classes; list the classes with colours in classes.json`;
  return [{ level: "warning", code: "palettes-differ", file: other.file, text }];
}

function otherOrder(file: string, colour: number, number: number, place: Place): TensorError {
  const problem = `its palette has the colour ${formatKey("colour", colour)} under the number ${number}, that of ${place.file} under ${place.number}: the numbers are no labels`;
  const fix = "list the classes with their colours in classes.json, so that the masks are read by colour";
  return fileError("palettes-differ", file, problem, fix);
}
