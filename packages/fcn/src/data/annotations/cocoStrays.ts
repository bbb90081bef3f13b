import type { DataRemark } from "../files/remarks.js";
import type { CocoAnnotation, CocoFile } from "./cocoFile.js";
import { type CocoId, shownId } from "./cocoIds.js";

/**
 * Reports, with counts, the annotations that paint nothing: those whose image or category the file does not list, and
 * boxes without a mask. If categories were `chosen`, the others are background on purpose.
 */
export function strayAnnotations(file: string, { annotations }: CocoFile, chosen: boolean): DataRemark[] {
  const tell = (
    level: DataRemark["level"],
    code: string,
    stray: readonly CocoAnnotation[],
    text: (ids: string) => string,
    idOf: (annotation: CocoAnnotation) => CocoId | undefined,
  ): DataRemark[] => {
    if (stray.length === 0) return [];
    const ids = [...new Set(stray.map(idOf))];
    const listed = ids.slice(0, 5).map((id) => (id === undefined ? "none" : shownId(id)));
    const shown = listed.join(", ") + (ids.length > 5 ? ", ..." : "");
    return [{ level, code, file, text: `${counted(stray.length)} ${text(shown)}` }];
  };
  const own = annotations.filter(({ image }) => image !== undefined);
  return [
    ...tell(
      chosen ? "warning" : "problem",
      "unknown-category",
      own.filter(({ category }) => category === undefined),
      (ids) => `a category_id that its categories do not list (${ids}): their pixels count as background`,
      ({ categoryId }) => categoryId,
    ),
    ...tell(
      // A file that lists a subset of the images may keep every annotation; one that matches no image is a mistake.
      own.length === 0 ? "problem" : "warning",
      "unknown-image",
      annotations.filter(({ image }) => image === undefined),
      (ids) => `an image_id that its images do not list (${ids}): they paint nothing`,
      ({ imageId }) => imageId,
    ),
    ...tell(
      "warning",
      "box-without-mask",
      own.filter(({ category, segmentation }) => category !== undefined && segmentation === undefined),
      (ids) => `no segmentation (ids ${ids}): their pixels count as background`,
      ({ id }) => id,
    ),
  ];
}

const counted = (count: number): string => (count === 1 ? "1 annotation has" : `${count} annotations have`);
