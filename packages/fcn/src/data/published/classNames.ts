const words = (text: string): readonly string[] => text.split("|");

/** PASCAL VOC: background and 20 objects, in label order. */
export const VOC_CLASSES = /* @__PURE__ */ words(
  "background|aeroplane|bicycle|bird|boat|bottle|bus|car|cat|chair|cow|diningtable|dog|horse|motorbike|person|pottedplant|sheep|sofa|train|tvmonitor",
);

/** NYUDv2: the 40 classes of Gupta, Arbelaez and Malik (CVPR 2013). */
export const NYUD_CLASSES = /* @__PURE__ */ words(
  "wall|floor|cabinet|bed|chair|sofa|table|door|window|bookshelf|image|counter|blinds|desk|shelves|curtain|dresser|pillow|mirror|floor mat|clothes|ceiling|books|refrigerator|television|paper|towel|shower curtain|box|whiteboard|person|night stand|toilet|sink|lamp|bathtub|bag|otherstructure|otherfurniture|otherprop",
);

/** SIFT Flow: 33 semantic classes. */
export const SIFT_FLOW_CLASSES = /* @__PURE__ */ words(
  "awning|balcony|bird|boat|bridge|building|bus|car|cow|crosswalk|desert|door|fence|field|grass|moon|mountain|person|plant|pole|river|road|rock|sand|sea|sidewalk|sign|sky|staircase|streetlight|sun|tree|window",
);

/** SIFT Flow: 3 geometric classes. */
export const SIFT_FLOW_GEOMETRIC = ["sky", "horizontal", "vertical"] as const;

/** PASCAL-Context: the 59 classes of Mottaghi et al. (CVPR 2014), without background. */
export const CONTEXT_59 = /* @__PURE__ */ words(
  "aeroplane|bicycle|bird|boat|bottle|bus|car|cat|chair|cow|diningtable|dog|horse|motorbike|person|pottedplant|sheep|sofa|train|tvmonitor|bag|bed|bench|book|building|cabinet|ceiling|clothes|computer|cup|door|fence|floor|flower|food|grass|ground|keyboard|light|mountain|mouse|curtain|platform|sign|plate|road|rock|shelves|sidewalk|sky|snow|bedcloth|track|tree|truck|wall|water|window|wood",
);

/** PASCAL-Context: the 33 classes of its easier task, without background; its `33_labels.txt`. */
export const CONTEXT_33 = /* @__PURE__ */ words(
  "aeroplane|bicycle|bird|boat|bottle|bus|car|cat|chair|cow|diningtable|dog|horse|motorbike|person|pottedplant|sheep|sofa|train|tvmonitor|sky|grass|ground|road|building|tree|water|mountain|wall|floor|track|keyboard|ceiling",
);
