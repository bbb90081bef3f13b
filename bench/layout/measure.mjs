/**
 * Runs one case of the layout benchmark: every candidate checked against float64, then timed in turn with the others.
 */
import { generator } from "../lib/random.mjs";
import { interleave } from "../lib/timing.mjs";
import { hostData, SCHEMES } from "./cases.mjs";
import { download, prepare, upload } from "./device.mjs";

const SAMPLES = 400;

/** NCHW (batch 1) to NHWC, with channels padded with zeros to `channels`. */
function channelsLast(x, { c, h, w }, channels = c) {
  const out = new Float32Array(h * w * channels);
  for (let k = 0; k < c; k++) for (let p = 0; p < h * w; p++) out[p * channels + k] = x[k * h * w + p];
  return out;
}

/** [rows, co] with every row padded with zeros to a multiple of four, `rows` of `padCi` instead of `ci` a tap. */
function packWeight(weight, { taps, ci, co }, padCi = ci) {
  const columns = Math.ceil(co / 4) * 4;
  const out = new Float32Array(taps * padCi * columns);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < ci; c++) {
      for (let o = 0; o < co; o++) out[(t * padCi + c) * columns + o] = weight[(t * ci + c) * co + o];
    }
  }
  return out;
}

function bindings(device, spec, host, candidate) {
  const padded = (channels) => (candidate.padded ? Math.ceil(channels / 4) * 4 : channels);
  const { output, input } = spec;
  const nhwc = candidate.constants.NHWC;
  const x = upload(device, nhwc ? channelsLast(host.x, input, padded(input.c)) : host.x);
  const y = upload(device, new Float32Array(padded(output.c) * output.h * output.w).fill(Number.NaN));
  const params = upload(device, new Uint32Array(Object.values(spec.params(candidate))));
  const views = { ours: [params, x, y] };
  if (spec.weight) {
    const w = upload(device, packWeight(host.second, spec.weight, padded(spec.weight.ci)));
    const idle = upload(device, new Float32Array(4));
    const outputs = candidate.constants.VEC_OUT ? [idle, y] : [y, idle];
    return { buffers: [params, x, x, w, ...outputs], y, owned: [...views.ours, w, idle] };
  }
  if (spec.labels) {
    const label = upload(device, new Uint32Array(host.second));
    return { buffers: [params, x, x, label, y], y, owned: [...views.ours, label] };
  }
  const idle = upload(device, new Float32Array(4));
  const vecOut = candidate.constants.NHWC && candidate.constants.VEC;
  return { buffers: [params, x, x, ...(vecOut ? [idle, y] : [y, idle])], y, owned: [...views.ours, idle] };
}

/** Largest difference from float64 over seeded samples of the output, relative to the largest sample. */
function worstError(spec, host, candidate, actual, next) {
  const { c, h, w } = spec.output;
  const channels = candidate.padded ? Math.ceil(c / 4) * 4 : c;
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const [o, r, q] = [next() % c, next() % h, next() % w];
    const got = actual[candidate.constants.NHWC ? (r * w + q) * channels + o : (o * h + r) * w + q];
    const want = spec.reference(host.x, host.second, o, r, q);
    if (Number.isNaN(got)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, Math.abs(got - want));
    scale = Math.max(scale, Math.abs(want));
  }
  return worst / scale;
}

const tile = ({ constants: { TP, TN, TM, WG } }) =>
  Object.entries({ TP, TN, TM, WG })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/**
 * @returns {Promise<{ name: string, schemes: object[] }>} one entry a scheme: its fastest candidate
 * @throws Error when a candidate's output differs from float64 by more than 1e-4 of the largest value.
 */
export async function measureCase(device, subgroupSize, spec, repeats) {
  const host = hostData(spec, generator(20150612));
  const candidates = spec.candidates(subgroupSize);
  const runs = {};
  const prepared = [];
  for (const [i, candidate] of candidates.entries()) {
    const { buffers, y, owned } = bindings(device, spec, host, candidate);
    prepared.push(owned);
    runs[i] = await prepare(device, candidate, buffers);
    await runs[i]();
    const error = worstError(spec, host, candidate, await download(device, y), generator(7));
    if (!(error < 1e-4)) throw new Error(`${spec.name}, ${candidate.scheme} (${tile(candidate)}): error ${error}`);
  }
  const results = await interleave(runs, repeats);
  for (const buffer of new Set(prepared.flat())) buffer.destroy();
  const best = new Map();
  for (const [i, { median }] of Object.entries(results)) {
    const { scheme } = candidates[i];
    const known = best.get(scheme);
    if (!known || median < known.ms) {
      best.set(scheme, { scheme, label: SCHEMES[scheme], tile: tile(candidates[i]), ms: median });
    }
  }
  const rate = ({ ms }) => (spec.flop ? { gflops: spec.flop / ms / 1e6 } : { gbytes: spec.bytes / ms / 1e6 });
  return { name: spec.name, schemes: [...best.values()].map((entry) => ({ ...entry, ...rate(entry) })) };
}
