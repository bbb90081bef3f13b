/** What @fcn/core shares with this package. No part of the public contract: it may change in any version. */
export { isNode, nodeModule } from "./node.js";
