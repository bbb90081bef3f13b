/** The cases of the ops, by the folders of @fcn/kernels: those that are there are found by the build. */
const loaders = import.meta.glob("../../../packages/kernels/dist/*/cases.js");

/** The cases of a folder. */
export async function loadCases(folder) {
  const { cases } = await loaders[`../../../packages/kernels/dist/${folder}/cases.js`]();
  return cases;
}
