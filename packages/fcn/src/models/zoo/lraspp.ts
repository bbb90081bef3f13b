import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { liteAsppHead } from "../heads/lraspp.js";
import type { Resolved } from "../modelOptions.js";
import type { Family } from "./entry.js";
import { DILATED, toImage } from "./torchvision.js";

const { title, classifier, append } = DILATED.mobilenet_v3_large;

function liteAspp(options: Resolved, name: string): Graph {
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: options.inChannels });
  const { stages, top } = append(builder, data, options);
  const scores = liteAsppHead(builder, "classifier", { low: stages.features_4 as string, high: top }, options);
  return builder.build({ out: toImage(builder, "out", scores, data) });
}

/** torchvision.models.segmentation.lraspp_mobilenet_v3_large. */
export const LRASPP_NETS: Family = {
  lraspp_mobilenet_v3_large: {
    summary: `torchvision's Lite R-ASPP on ${title}`,
    defaults: { widthMultiplier: 1 },
    keys: "torchvision",
    backbone: classifier,
    graph: liteAspp,
  },
};
