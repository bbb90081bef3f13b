const KERNELS = "packages/kernels/src";
const OPTIM = "packages/tensor/src/optim";
const IO = "packages/tensor/src/io";
const CORE = "packages/fcn/src";
const GRAPH = `${CORE}/models/graph`;

/** The plans of an op, without the texts of shaders, and the tests that lie in the folder of the same name. */
const op = (name) => ({
  source: [`${KERNELS}/${name}/*.ts`, `!${KERNELS}/${name}/{reference,power,table}.ts`],
  tests: [`test/kernels/${name}/*.test.ts`],
});

/** Source files of the kernels' root, tested by a file of the same name or by others. */
const root = (names, tests = names) => ({
  source: names.map((name) => `${KERNELS}/${name}.ts`),
  tests: tests.map((name) => `test/kernels/${name}.test.ts`),
});

/** The shaders of ops, and tests of small shapes that run them, but for those whose name matches `slow`. */
const shaders = (names, tests, slow) => ({
  source: names.map((name) => `${KERNELS}/${name}/*.wgsl`),
  tests: tests.map((name) => `test/tensor/${name}.test.ts`),
  shaders: true,
  slow,
});

/**
 * Where faults are planted, and the tests that should notice: each area is a list of groups, so that a fault runs few
 * tests. Patterns are relative to the root. `gpu` groups run their tests on a device, which takes longer.
 */
export const areas = {
  plans: [
    ...["confusion", "conv2d", "copy", "cross-entropy", "fill", "interpolate", "lrn", "norm"],
    ...["matmul", "optim", "paint", "pointwise", "pool", "random", "reduce", "softmax"],
  ]
    .map(op)
    .concat([
      root(["kernel"]),
      root(["plan"]),
      root(["bindingParts"], ["bindingPartCases", "bindingParts"]),
      root(["dims"]),
      root(["scalarOrVector"], ["pool/plan", "conv2d/plan"]),
      root(["tuning"], ["conv2d/tiles"]),
    ]),
  optimisers: [
    {
      source: [`${OPTIM}/*.ts`, `!${OPTIM}/{index,lrScheduler}.ts`],
      tests: ["test/tensor/optim/{optim,rules}.test.ts"],
      gpu: true,
    },
  ],
  schedules: [
    { source: [`${OPTIM}/lrScheduler.ts`], tests: ["test/tensor/optim/lrScheduler.test.ts"] },
    { source: [`${CORE}/training/**/schedules.ts`], tests: ["test/fcn/training/**/schedules.test.ts"] },
  ],
  losses: [
    {
      source: [`${CORE}/training/loss/{loss,lossSampling,reduction}.ts`],
      tests: ["test/fcn/training/loss/{loss,lossSampling,reduction}.test.ts"],
      gpu: true,
    },
  ],
  metrics: [{ source: [`${CORE}/labels/metrics.ts`], tests: ["test/fcn/labels/metrics.test.ts"] }],
  kernels: [
    shaders(
      ["confusion", "copy", "fill", "optim", "paint", "random"],
      [
        "ops/addInto",
        "ops/dropout",
        "ops/fill",
        "ops/foldedGrids",
        "ops/labels",
        "ops/movement",
        "ops/philox",
        "ops/ranks",
        "optim/optim",
        "optim/rules",
      ],
      "grids of one row",
    ),
    // In tiles.test.ts every tile is asked for, on a device with and without subgroups, so that each variant runs.
    shaders(
      ["conv2d"],
      ["ops/conv", "ops/foldedGrids", "ops/tiles"],
      "convolution on a device|random shapes|poisoned buffers|device.tune",
    ),
    shaders(
      ["cross-entropy", "softmax"],
      [
        "ops/foldedGrids",
        "ops/gradients",
        "ops/labels",
        "ops/longSums",
        "ops/notFinite",
        "ops/pastTheEnd",
        "ops/bindingParts",
      ],
    ),
    shaders(
      ["matmul", "reduce"],
      [
        "ops/foldedGrids",
        "ops/gradients",
        "ops/longSums",
        "ops/slicedSums",
        "ops/reduce",
        "ops/pastTheEnd",
        "ops/bindingParts",
      ],
    ),
    shaders(
      ["interpolate", "lrn", "norm", "pool"],
      [
        "ops/foldedGrids",
        "ops/gradients",
        "ops/longSums",
        "ops/nearest",
        "ops/notFinite",
        "ops/pastTheEnd",
        "ops/bindingParts",
      ],
    ),
  ],
  masks: [
    {
      source: [`${CORE}/data/decode/{bands,mask,parts,pixelScale,png,pngChunks,pngImage,rule}.ts`],
      tests: [
        "test/fcn/data/decode/{bands,deepImages,image,mask,parts,pixelScale,png,pngChunks,pngImage,rule}.test.ts",
      ],
    },
    {
      source: [`${CORE}/data/shapes/{raster,rle}.ts`],
      tests: ["test/fcn/data/shapes/{annotations,raster,rle}.test.ts"],
    },
  ],
  readers: [
    { source: [`${IO}/zip/{crc32,directory,zip}.ts`], tests: ["test/tensor/io/zip/*.test.ts"] },
    { source: [`${IO}/pickle/*.ts`], tests: ["test/tensor/io/pickle/{opcodes,unpickle}.test.ts"] },
    {
      source: [`${IO}/pth/{checkpoint,storages,tensors}.ts`],
      tests: ["test/tensor/io/pth/{checkpoint,pth,tensors,views}.test.ts"],
    },
    { source: [`${IO}/caffemodel/{blobs,wire}.ts`], tests: ["test/tensor/io/caffemodel/{blobs,wire}.test.ts"] },
    {
      source: [`${IO}/safetensors/{header,safetensors}.ts`],
      tests: ["test/tensor/io/safetensors/{header,safetensors}.test.ts"],
    },
    { source: [`${IO}/npy/{header,npy}.ts`], tests: ["test/tensor/io/npy/header.test.ts"] },
    { source: [`${CORE}/data/**/mat/*.ts`], tests: ["test/fcn/data/mat/{mat,read}.test.ts"] },
  ],
  coordinates: [
    { source: [`${GRAPH}/plane/*.ts`], tests: ["test/fcn/models/graph/plane/*.test.ts"] },
    {
      source: [`${GRAPH}/geometry/{footprint,reach}.ts`],
      tests: ["test/fcn/models/graph/geometry/{footprint,reach}.test.ts"],
    },
    {
      source: [`${GRAPH}/geometry/coordinates.ts`],
      tests: ["test/fcn/models/graph/geometry/coordinates.test.ts"],
    },
  ],
};
