import { expect, it } from "vitest";
import { hotLoop, peakShare, readLog } from "../../bench/stub/amd.mjs";

/** Assembly as the driver writes it: an outer loop BB1 to BB4 with an inner one, BB2 to BB3. */
const ASSEMBLY = `BB0:
\ts_mov_b32 s0, s3                       ; be800303
BB1:
\tv_mul_lo_u32 v9, v8, v7                ; d5690009
BB2:
\tbuffer_load_dwordx4 v[0:3], v8, s[0:3], 0 offen ; e0381000
\ts_buffer_load_dwordx4 s[8:11], s[12:15], null ; f4280206
\tds_read2_b32 v[4:5], v6 offset1:1      ; d8dc0100
\tds_read_b128 v[10:13], v6              ; dbfc0000
\ts_waitcnt vmcnt(0)                     ; bf8c3f70
\tv_fmac_f32_e32 v20, v0, v4             ; 56280900
\tv_fma_f32 v21, v1, v4, v21             ; d54b0015
\tv_cndmask_b32_e32 v22, v2, v3, vcc     ; 022c0702
BB3:
\tv_dual_fmac_f32 v23, v0, v5 :: v_dual_mul_f32 v24, v1, v5 ; c8060b00
\tv_rcp_f32_e32 v25, v23                 ; 7e325517
\ts_cbranch_scc1 BB2                     ; bf85fff0
BB4:
\ts_cbranch_vccnz BB1                    ; bf87ffe0
\ts_endpgm                               ; bf810000
`;

it("counts the innermost loop: words by width, joined instructions as one slot, slow ones as four", () => {
  expect(hotLoop(ASSEMBLY)).toEqual({
    instructions: 11,
    multiplyAdds: 3,
    slots: 3 + 1 + 4,
    memoryWords: 4,
    sharedWords: 2 + 4,
    scratch: 0,
  });
  expect(hotLoop("BB0:\n\tv_fma_f32 v0, v1, v2, v3\n\ts_endpgm\n")).toBeUndefined();
});

it("an estimate is by what is tightest: slots, 16 words a clock from the cache, 32 from workgroup memory", () => {
  const loop = { multiplyAdds: 64, slots: 80, memoryWords: 16, sharedWords: 32 };
  expect(peakShare(loop)).toEqual({ bound: "arithmetic", share: 0.8 });
  expect(peakShare({ ...loop, memoryWords: 32 })).toEqual({ bound: "cache", share: 0.5 });
  expect(peakShare({ ...loop, sharedWords: 128 })).toEqual({ bound: "workgroup memory", share: 0.25 });
});

it("reads the statistics of each pipeline, and passes over those that the driver has compiled before", () => {
  const statistics = (subgroups: number) => `Compute Shader
disasm:
${ASSEMBLY}

SGPRs: 128
VGPRs: 84
Spilled SGPRs: 2
Spilled VGPRs: 1
LDS size: 4608
Scratch size: 512
Subgroups per SIMD: ${subgroups}
`;
  const log = `noise
@@begin conv2d/gather TM=8u
${statistics(12)}
@@end
@@begin conv2d/gather TM=4u
@@end
`;
  expect(readLog(log)).toEqual({
    "conv2d/gather TM=8u": {
      registers: 84,
      // RDNA, where the driver counts waves of 32 lanes.
      waves: 6,
      scratchBytes: 512,
      spills: 3,
      workgroupBytes: 4608,
      loop: { ...hotLoop(ASSEMBLY), ...peakShare(hotLoop(ASSEMBLY)!) },
    },
  });
  const gcn = log.replaceAll(", null", ", 0x0");
  expect(Object.values(readLog(gcn))).toMatchObject([{ waves: 12 }]);
});
