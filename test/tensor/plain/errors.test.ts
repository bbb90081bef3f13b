import * as t from "@fcn/tensor";
import { showValue } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** The error as a user reads it. Fails where nothing, or another kind of error, is thrown. */
async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(t.TensorError);
    const { code, message, fix } = error as t.TensorError;
    return `[${code}] ${message} | ${fix}`;
  }
  throw new Error(`no error from ${action}`);
}

async function messages(...actions: (() => unknown)[]): Promise<string[]> {
  const list: string[] = [];
  await device.scope(async () => {
    for (const action of actions) list.push(await messageOf(action));
  });
  return list;
}

const x = (...shape: number[]) => device.zeros(shape);

describe("convolutions", () => {
  it("refuse wrong ranks", async () => {
    expect(
      await messages(
        () => t.conv2d(x(3, 8, 8), x(4, 3, 3, 3)),
        () => t.conv2d(x(1, 3, 8, 8), x(4, 27)),
        () => t.convTranspose2d(x(1, 3, 8), x(3, 4, 3, 3)),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-shape] conv2d: x has shape [3, 8, 8] (rank 3), expected [N, Cin, H, W] | reshape x to rank 4",
        "[invalid-shape] conv2d: w has shape [4, 27] (rank 2), expected [Cout, Cin / groups, KH, KW] | reshape w to rank 4",
        "[invalid-shape] convTranspose2d: x has shape [1, 3, 8] (rank 3), expected [N, Cin, H, W] | reshape x to rank 4",
      ]
    `);
  });

  it("refuse channels and groups that do not match", async () => {
    expect(
      await messages(
        () => t.conv2d(x(1, 3, 8, 8), x(4, 5, 3, 3)),
        () => t.conv2d(x(1, 4, 8, 8), x(3, 2, 3, 3), null, { groups: 2 }),
        () => t.conv2d(x(1, 4, 8, 8), x(4, 4, 3, 3), null, { groups: 0 }),
        () => t.conv2d(x(1, 4, 8, 8), x(4, 4, 3, 3), x(5)),
        () => t.convTranspose2d(x(1, 3, 8, 8), x(5, 4, 3, 3)),
        () => t.convTranspose2d(x(1, 3, 8, 8), x(3, 4, 3, 3), null, { groups: 2 }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-shape] conv2d: x [1, 3, 8, 8] has 3 channels, w [4, 5, 3, 3] with groups = 1 expects 5 and a number of output channels divisible by groups | make w.shape[1] * groups equal x.shape[1], and w.shape[0] a multiple of groups",
        "[invalid-shape] conv2d: x [1, 4, 8, 8] has 4 channels, w [3, 2, 3, 3] with groups = 2 expects 4 and a number of output channels divisible by groups | make w.shape[1] * groups equal x.shape[1], and w.shape[0] a multiple of groups",
        "[invalid-argument] conv2d: groups is 0, expected a whole number of at least 1 | pass groups as a whole number of at least 1",
        "[invalid-shape] conv2d: bias has shape [5], expected [4] for the output of w [4, 4, 3, 3] | pass one bias a channel",
        "[invalid-shape] convTranspose2d: x [1, 3, 8, 8] has 3 channels, w [5, 4, 3, 3] expects 5 and groups = 1 must divide them (w is [Cin, Cout / groups, KH, KW]) | make w.shape[0] equal x.shape[1], and both a multiple of groups",
        "[invalid-shape] convTranspose2d: x [1, 3, 8, 8] has 3 channels, w [3, 4, 3, 3] expects 3 and groups = 2 must divide them (w is [Cin, Cout / groups, KH, KW]) | make w.shape[0] equal x.shape[1], and both a multiple of groups",
      ]
    `);
  });

  it("refuse kernels that do not fit and outputs of size zero", async () => {
    expect(
      await messages(
        () => t.conv2d(x(1, 3, 4, 8), x(4, 3, 7, 7), null, { padding: 1 }),
        () => t.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), null, { dilation: 4 }),
        () => t.convTranspose2d(x(1, 3, 1, 1), x(3, 4, 2, 2), null, { padding: 1 }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-shape] conv2d: kernel 7x7 with dilation [1, 1] is larger than the padded input of 6x10 | use a larger input, more padding, a smaller kernel or less dilation",
        "[invalid-shape] conv2d: kernel 3x3 with dilation [4, 4] is larger than the padded input of 8x8 | use a larger input, more padding, a smaller kernel or less dilation",
        "[invalid-shape] convTranspose2d: the output of x [1, 3, 1, 1] and w [3, 4, 2, 2] would be 0x0 | use less padding, a larger kernel or a larger input",
      ]
    `);
  });

  it("refuse strides, paddings and dilations that are no such", async () => {
    expect(
      await messages(
        () => t.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), null, { stride: -1 }),
        () => t.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), null, { stride: [1, 1.5] }),
        () => t.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), null, { padding: -1 }),
        () => t.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), null, { dilation: 0 }),
        () => t.convTranspose2d(x(1, 3, 8, 8), x(3, 4, 3, 3), null, { stride: 2, outputPadding: 2 }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-argument] conv2d: stride is -1, expected a whole number of at least 1 or two of them as [h, w] | pass stride as a whole number of at least 1 or two of them as [h, w]",
        "[invalid-argument] conv2d: stride is [1,1.5], expected a whole number of at least 1 or two of them as [h, w] | pass stride as a whole number of at least 1 or two of them as [h, w]",
        "[invalid-argument] conv2d: padding is -1, expected a whole number of at least 0, two of them as [h, w] or [[top, bottom], [left, right]] | pass padding as a whole number of at least 0, two of them as [h, w] or [[top, bottom], [left, right]]",
        "[invalid-argument] conv2d: dilation is 0, expected a whole number of at least 1 or two of them as [h, w] | pass dilation as a whole number of at least 1 or two of them as [h, w]",
        "[invalid-argument] convTranspose2d: outputPadding [2, 2] must be smaller than stride [2, 2] or dilation [1, 1] | use an outputPadding below the stride",
      ]
    `);
  });
});

describe("pools and the other layers", () => {
  it("refuse windows that do not fit", async () => {
    expect(
      await messages(
        () => t.maxPool2d(x(3, 8, 8), { kernelSize: 2 }),
        () => t.maxPool2d(x(1, 3, 2, 2), { kernelSize: 3 }),
        () => t.avgPool2d(x(1, 3, 8, 8), { kernelSize: 2, padding: 2 }),
        () => t.maxPool2d(x(1, 3, 8, 8), { kernelSize: 2, stride: 0.5 }),
        () => t.interpolate(x(1, 3, 8, 8), { scaleFactor: 0.1 }),
        () => t.crop(x(1, 3, 8, 8), { top: 4, left: 0, height: 8, width: 8 }),
        () => t.batchNorm(x(1, 3, 1, 1), { training: true }),
        () => t.batchNorm(x(1, 3, 4, 4), { training: true, weight: x(4) }),
        () => t.localResponseNorm(x(1, 3, 4, 4), { size: 2.5 }),
        () => t.groupNorm(x(1, 6, 4, 4), { groups: 4 }),
        () => t.groupNorm(x(1, 6, 4, 4), { groups: 2, bias: x(2) }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-shape] maxPool2d: x has shape [3, 8, 8] (rank 3), expected [N, C, H, W] | reshape x to rank 4",
        "[invalid-shape] maxPool2d: the output of x [1, 3, 2, 2] would be 0 x 0: kernelSize [3, 3] at dilation [1, 1] does not fit into the image padded by [0, 0] | use a smaller kernelSize, more padding or a larger image",
        "[invalid-argument] avgPool2d: padding [2, 2] is more than half of kernelSize [2, 2] at dilation [1, 1] | pass a padding of at most [1, 1], or pad() the input first",
        "[invalid-argument] maxPool2d: stride is 0.5, expected a whole number of at least 1 or two of them as [h, w] | pass stride as a whole number of at least 1 or two of them as [h, w]",
        "[invalid-shape] interpolate: scaleFactor 0.1 makes x [1, 3, 8, 8] 0 x 0, expected at least 1 x 1 | use a larger scaleFactor",
        "[invalid-shape] crop: 8x8 at (4, 0) does not lie inside 8x8 | choose a box inside the image",
        "[invalid-shape] batchNorm: x [1, 3, 1, 1] has one value per channel, but training needs at least two for a variance | use a larger batch or image, or training: false",
        "[invalid-shape] batchNorm: weight has shape [4], expected [3] for x [1, 3, 4, 4] | pass one weight a channel",
        "[invalid-argument] localResponseNorm: size is 2.5, expected a whole number of at least 1 | pass size as a whole number of at least 1",
        "[invalid-argument] groupNorm: groups is 4, which does not divide the 6 channels of x [1, 6, 4, 4] | pass a number of groups that divides 6",
        "[invalid-shape] groupNorm: bias has shape [2], expected [6] for x [1, 6, 4, 4] | pass one bias a channel",
      ]
    `);
  });
});

describe("pointwise ops and shapes", () => {
  it("refuse shapes that do not belong together", async () => {
    expect(
      await messages(
        () => t.add(x(2, 3), x(2, 4)),
        () => t.add(x(2), Number.NaN),
        () => t.relu(device.tensor([1], [1], { dtype: "int32" })),
        () => t.matmul(x(2, 3), x(4, 5)),
        () => t.concat([x(2, 3), x(2, 4)], { dim: 0 }),
        () => t.slice(x(4), [[3, 2]]),
        () => x(2, 3).reshape([4, -1]),
        () => t.sum(x(2, 3), { dim: 2 }),
        () => device.tensor([1, 2, 3], [2, 2]),
        () => device.zeros([2, 0]),
        () => x(2).item(),
        () => t.noGrad(() => x(2)).backward(),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-shape] add: shapes [2, 3] and [2, 4] do not broadcast (dimension 1: 3 against 4) | make the sizes equal, or 1 where one operand should be repeated",
        "[invalid-argument] add: operand is NaN, expected a number other than NaN | pass operand as a number other than NaN",
        "[invalid-dtype] relu: x of shape [1] has dtype int32, expected float32 or float16 | create x with { dtype: "float32" }",
        "[invalid-shape] matmul: a has shape [2, 3] and b [4, 5]: the last dimension of a (3) must equal the second-to-last of b (4) | transpose one operand with permute, or reshape it",
        "[invalid-shape] concat: [2, 4] (float32) does not join [2, 3] (float32) along dim 0 | make the dtypes equal, and all sizes except that of dim",
        "[invalid-shape] slice: range [3,2] of dimension 0 of [4] is empty or out of range | choose 0 <= start < end <= 4",
        "[invalid-shape] reshape: [2, 3] (6 elements) cannot become [4, -1] | choose sizes whose product is the number of elements, with at most one -1",
        "[invalid-argument] sum: dim is 2, but the tensor has 2 dimensions | pass a dim from -2 to 1",
        "[invalid-shape] tensor: 3 values for shape [2, 2], which holds 4 | pass as many values as the product of the sizes",
        "[invalid-shape] zeros: shape [2, 0] must hold positive whole numbers | pass sizes of at least 1",
        "[invalid-shape] item: the tensor has shape [2] (2 elements), expected one element | use data() or array(), or reduce the tensor first",
        "[invalid-argument] backward: a tensor of shape [2] needs the gradient of its elements | reduce it to one number with sum() or mean(), or pass a gradient of the same shape",
      ]
    `);
  });
});

describe("new tensors", () => {
  it("refuse types that there are none of, and gradients of whole numbers", async () => {
    expect(
      await messages(
        () => device.zeros([2], { dtype: "float64" as "float32" }),
        () => device.tensor([2], [1], { dtype: "float64" as "float32" }),
        () => device.randn([2], { dtype: "int32" }),
        () => device.zeros([2], { dtype: "int32", requiresGrad: true }),
        () => device.tensor([2], [1], { dtype: "int32", requiresGrad: true }),
        () => {
          device.zeros([2], { dtype: "int32" }).requiresGrad = true;
        },
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-argument] zeros: dtype is "float64", expected "float32", "float16" or "int32" | pass dtype as "float32", "float16" or "int32"",
        "[invalid-argument] tensor: dtype is "float64", expected "float32", "float16" or "int32" | pass dtype as "float32", "float16" or "int32"",
        "[invalid-argument] randn: dtype is "int32", expected "float32" | pass dtype as "float32"",
        "[invalid-dtype] zeros: requiresGrad is set for dtype int32, only tensors of floats have gradients | leave out requiresGrad, or use dtype "float32"",
        "[invalid-dtype] tensor: requiresGrad is set for dtype int32, only tensors of floats have gradients | leave out requiresGrad, or use dtype "float32"",
        "[invalid-dtype] requiresGrad: requiresGrad is set for dtype int32, only tensors of floats have gradients | leave out requiresGrad, or use dtype "float32"",
      ]
    `);
  });

  it("refuse more dimensions than a kernel takes", async () => {
    expect(
      await messages(
        () => device.ones([1, 1, 1, 1, 1, 1, 1, 1, 1]),
        () => device.tensor([1], [1, 1, 1, 1, 1, 1, 1, 1, 1]),
        () => x(2).reshape([1, 1, 1, 2, 1, 1, 1, 1, -1]),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[limit-exceeded] ones: shape [1, 1, 1, 1, 1, 1, 1, 1, 1] has 9 dimensions, a tensor has at most 8 | merge neighbouring dimensions, or leave out those of size 1",
        "[limit-exceeded] tensor: shape [1, 1, 1, 1, 1, 1, 1, 1, 1] has 9 dimensions, a tensor has at most 8 | merge neighbouring dimensions, or leave out those of size 1",
        "[limit-exceeded] reshape: shape [1, 1, 1, 2, 1, 1, 1, 1, 1] has 9 dimensions, a tensor has at most 8 | merge neighbouring dimensions, or leave out those of size 1",
      ]
    `);
  });

  it("refuse more elements than a kernel can number", async () => {
    expect(
      await messages(
        () => device.zeros([1e6, 1e6]),
        () => device.randn([2 ** 32]),
        () => t.add(x(70_000, 1), x(1, 70_000)),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[limit-exceeded] zeros: shape [1000000, 1000000] has 1000000000000 elements (3725.3 GiB), a tensor holds at most 4294967295 | check the sizes; use a smaller batch or image, or several tensors",
        "[limit-exceeded] randn: shape [4294967296] has 4294967296 elements (16.0 GiB), a tensor holds at most 4294967295 | check the sizes; use a smaller batch or image, or several tensors",
        "[limit-exceeded] allocate: shape [70000, 70000] has 4900000000 elements (18.3 GiB), a tensor holds at most 4294967295 | check the sizes; use a smaller batch or image, or several tensors",
      ]
    `);
  });
});

describe("labels", () => {
  const labels = (values: number[], dtype: t.DType = "int32") => device.tensor(values, [1, 2, 2], { dtype });

  it("outside the classes reject the read of the loss, once", async () => {
    expect(
      await messages(
        () => t.crossEntropy(x(1, 3, 2, 2), labels([0, 1, 2, 3])).item(),
        () => t.crossEntropy(x(1, 3, 2, 2), labels([0, -2, 255, 1]), { reduction: "none" }).data(),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[label-out-of-range] crossEntropy: target holds label 3 at flat index 3, expected 0..2 or ignoreIndex | check the label encoding of the masks, or pass the void label as ignoreIndex",
        "[label-out-of-range] crossEntropy: target holds label -2 at flat index 1, expected 0..2 or ignoreIndex | check the label encoding of the masks, or pass the void label as ignoreIndex",
      ]
    `);
    await device.scope(async () => {
      expect(await t.crossEntropy(x(1, 3, 2, 2), labels([0, 1, 2, 255])).item()).toBeCloseTo(Math.log(3), 5);
    });
  });

  it("of another shape or type are refused", async () => {
    expect(
      await messages(
        () => t.crossEntropy(x(1, 3, 2, 2), labels([0, 1, 2, 0], "float32")),
        () => t.crossEntropy(x(1, 3, 2, 4), labels([0, 1, 2, 0])),
        () => t.crossEntropy(x(1, 3, 2, 2), labels([0, 1, 2, 0]), { weight: x(4) }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[invalid-dtype] crossEntropy: target of shape [1, 2, 2] has dtype float32, expected int32 | create target with { dtype: "int32" }",
        "[invalid-shape] crossEntropy: target has shape [1, 2, 2], logits have shape [1, 3, 2, 4]: expected target [1, 2, 4] | pass one class index for each position of the logits",
        "[invalid-shape] crossEntropy: weight has shape [4], expected [3] for logits [1, 3, 2, 2] | pass one weight a channel",
      ]
    `);
  });
});

it("NaN is named in debug mode, in the data and in the op that made it", async () => {
  using own = await t.createDevice({ quiet: true, debug: { nanCheck: true } });
  expect(
    await messages(
      () => own.tensor([1, Number.NaN], [2]),
      () => t.exp(t.log(own.tensor([1, -1], [2]))).data(),
      () => t.div(1, own.zeros([3])).data(),
    ),
  ).toMatchInlineSnapshot(`
    [
      "[not-finite] tensor: value 1 of the host data is NaN | clean the data; this check is on because the device was created with debug.nanCheck",
      "[not-finite] log: the result holds NaN or infinity (first seen at element 1 in memory order) | lower the learning rate, or check the inputs of this op; this check is on because the device was created with debug.nanCheck",
      "[not-finite] div: the result holds NaN or infinity (first seen at element 0 in memory order) | lower the learning rate, or check the inputs of this op; this check is on because the device was created with debug.nanCheck",
    ]
  `);
  expect(await t.log(own.tensor([1])).data()).toEqual(Float32Array.of(0));
});

describe("tensors that cannot be used", () => {
  it("are named after dispose", async () => {
    const gone = device.zeros([2, 3]);
    gone.dispose();
    expect(
      await messages(
        () => t.relu(gone),
        () => t.add(gone, x(2, 3)),
        () => gone.data(),
        () => gone.reshape([6]),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[disposed] relu: x of shape [2, 3] was used after it was disposed | dispose it after the last use",
        "[disposed] add: a of shape [2, 3] was used after it was disposed | dispose it after the last use",
        "[disposed] a tensor of shape [2, 3] was used after it was disposed | dispose it after the last use",
        "[disposed] reshape: x of shape [2, 3] was used after it was disposed | dispose it after the last use",
      ]
    `);
  });

  it("are refused when they belong to two devices", async () => {
    using other = await t.createDevice({ quiet: true });
    expect(
      await messages(
        () => t.add(x(2), other.zeros([2])),
        () => t.conv2d(x(1, 3, 8, 8), other.zeros([4, 3, 3, 3])),
        () => t.concat([x(2), other.zeros([2])]),
        () => x(2).assign(other.zeros([2])),
      ),
    ).toMatchInlineSnapshot(`
      [
        "[device-mismatch] add: a tensor of shape [2] belongs to another device | make all operands on one device",
        "[device-mismatch] conv2d: a tensor of shape [4, 3, 3, 3] belongs to another device | make all operands on one device",
        "[device-mismatch] concat: a tensor of shape [4] belongs to another device | make all operands on one device",
        "[device-mismatch] assign: a tensor of shape [2] belongs to another device | make all operands on one device",
      ]
    `);
  });
});

it("corrupt and truncated safetensors are refused", async () => {
  const whole = await t.io.encodeSafetensors({ a: { dtype: "float32", shape: [2], data: new Float32Array(2) } });
  expect(
    await messages(
      () => t.io.readSafetensors(whole.slice(0, -1)),
      () => t.io.readSafetensors(whole.slice(0, 20)),
      () => t.io.readSafetensors(new Uint8Array(whole).fill(0x21, 8, 12)),
    ),
  ).toMatchInlineSnapshot(`
    [
      "[corrupt-file] readSafetensors: the given bytes: tensor a: it ends at byte 72, but the file has 71 | fetch or write the file again: it is incomplete, damaged or of another format",
      "[corrupt-file] readSafetensors: the given bytes: its header claims to have 56 bytes, but the file has 20 | fetch or write the file again: it is incomplete, damaged or of another format",
      "[corrupt-file] readSafetensors: the given bytes: its header is not JSON in UTF-8 | fetch or write the file again: it is incomplete, damaged or of another format",
    ]
  `);
});

describe("the adapter", () => {
  it("must be one of three kinds", async () => {
    expect(await messages(() => t.createDevice({ adapter: "gpu" as "auto" }))).toMatchInlineSnapshot(`
      [
        "[invalid-argument] createDevice: adapter is "gpu", expected "auto", "hardware" or "software" | pass adapter as "auto", "hardware" or "software"",
      ]
    `);
  });

  it("is missing with a name and a remedy", async ({ skip }) => {
    const { adapters } = await t.probeAdapters();
    const kinds = adapters.map(({ info }) => info.software);
    skip(kinds.includes(false), "this machine has a GPU");
    const message = await messageOf(() => t.createDevice({ adapter: "hardware" }));
    expect(message).toMatch(
      /^\[no-adapter\] createDevice: no hardware WebGPU adapter \(adapters found: .+\) \| run `npx fcn doctor`, which names/,
    );
  });
});

it("a binding limit that an op cannot work under is named with its numbers", async () => {
  using own = await t.createDevice({ quiet: true, bindingLimit: 64 * 1024 });
  expect(
    await messages(
      () => t.softmax(own.zeros([2, 20_000]), { dim: 1 }),
      () => t.maxPool2d(own.zeros([1, 64, 2, 300]), { kernelSize: 2 }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "[limit-exceeded] softmax: operands of shapes [2, 20000] [2, 20000] have rows larger than the 65536 bytes that one binding can hold | use a smaller batch or image, or cut the input into tiles",
      "[limit-exceeded] maxPool2d: operands of shapes [1, 64, 2, 300] [1, 64, 1, 150] have rows larger than the 65536 bytes that one binding can hold | use a smaller batch or image, or cut the input into tiles",
    ]
  `);
});

describe("text of files in messages", () => {
  const deep = (): unknown => JSON.parse("[".repeat(20_000) + "]".repeat(20_000));

  it("never moves the cursor of a terminal", () => {
    const error = new t.TensorError({ code: "corrupt-file", message: "a\u001b[2Jb\u202ec\nd", fix: "e\u0007" });
    expect([error.message, error.fix]).toEqual(["a\\u001b[2Jb\\u202ec\nd", "e\\u0007"]);
  });

  it("shows values as JSON, cut short and not followed into depth", () => {
    expect(showValue({ a: [1, "x", null, { b: { c: [] } }] })).toBe('{"a":[1,"x",null,{"b":{...}}]}');
    expect(showValue(deep())).toBe("[[[[...]]]]");
    expect(showValue(Array(30).fill(1), 200)).toBe(`[${Array(20).fill(1)},...]`);
    expect(showValue("x".repeat(100))).toHaveLength(83);
  });
});
