import { expect, it } from "vitest";
import { hotLoop, messageOf, peakShare, readLog } from "../../bench/stub/intel.mjs";

/** Assembly as the driver writes it: an outer loop LABEL2 with an inner one, LABEL1. */
const ASSEMBLY = `Native code for unnamed compute shader (null) (src_hash 0x6180348c)
SIMD16 shader: 4080 instructions. 3 loops. 4345084 cycles. 115:529 spills:fills, 23 sends, scheduled with mode none.
   START B0 (46 cycles)

LABEL2:
mul(16)         g8<1>D          g6<8,8,1>D      g2.2<0,1,0>UW   { align1 1H };

LABEL1:
cmp.ge.f0.0(16) g119<1>UD       g6<8,8,1>UD     g70<8,8,1>UD    { align1 1H @4 compacted };
(+f0.0) break(16) JIP:  LABEL3        UIP:  LABEL3              { align1 1H };
   END B1 ->B2
mov(1)          g3.2<1>UD       0x0000010cUD                    { align1 WE_all 1N @4 };
send(8)         g2UD            g3UD            nullUD          0x021802fd                0x00000000
                            data MsgDesc: (DC OWORD block read, bti 253, owords = 2, aligned = 0)  mlen 1 rlen 1
send(16)        g60UD           g1UD            nullUD          0x04805004                0x00000000
                            dp data 1 MsgDesc: (untyped surface read, Surface = 4, SIMD16, Mask = 0x0)  mlen 2 rlen 8
sync nop(1)                     null<0,1,0>UB                   { align1 WE_all 1N $10.dst };
mad(16)         g12<1>F         g12<8,8,1>F     g60<8,8,1>F     g8<1,1,1>F { align1 1H @2 $12.dst compacted };
mad(8)          g14<1>F         g14<8,8,1>F     g62<8,8,1>F     g8<1,1,1>F { align1 1H $12.dst compacted };
mad(16)         g16<1>D         g16<8,8,1>D     g62<8,8,1>W     g8<1,1,1>W { align1 1H $12.dst compacted };
math.inv(16)    g16<1>F         g64<8,8,1>F     null<8,8,1>F    { align1 1H };

LABEL3:
while(16)       JIP:  LABEL1                                    { align1 1H };
while(16)       JIP:  LABEL2                                    { align1 1H };
`;

it("counts the innermost loop: narrow instructions by their clocks, messages by what they move", () => {
  expect(hotLoop(ASSEMBLY, 16, 8)).toEqual({
    instructions: 11,
    multiplyAdds: 1.5,
    slots: 1 + 0.5 + 1 + 0.5 + 1 + 4,
    sends: 2,
    memoryWords: 4,
    sharedWords: 0,
    spills: 0,
    fills: 1,
  });
  expect(hotLoop("mad(16) g12<1>F g12<8,8,1>F g60<8,8,1>F g8<1,1,1>F\n", 16, 8)).toBeUndefined();
});

it.each([
  ["data MsgDesc: (DC OWORD block write, bti 253, owords = 4, aligned = 0)  mlen 1", "spill", 1],
  ["ugm MsgDesc: ( load, a32, d32, V16, transpose, L1STATE_L3MOCS dst_len = 2, src0_len = 1, ss )", "fill", 1],
  ["ugm MsgDesc: ( store, a32, d32, V1, L1STATE_L3MOCS dst_len = 0, src0_len = 2, ss )", "spill", 1],
  ["ugm MsgDesc: ( load, a32, d32, V4, L1STATE_L3MOCS dst_len = 8, src1_len = 0 bti )  BTI 3", "load", 4],
  ["ugm MsgDesc: ( load, a32, d32, V16, transpose, L1STATE_L3MOCS dst_len = 2, src1_len = 0 bti )", "load", 0],
  ["slm MsgDesc: ( store, a32, d32, V2, L1STATE_L3MOCS dst_len = 0, src1_len = 4 flat )", "shared", 2],
  ["dp data 1 MsgDesc: (DC untyped surface write, Surface = 254, SIMD16, Mask = 0xc)  mlen 2", "shared", 2],
  ["dp data 1 MsgDesc: (untyped surface read, Surface = 3, SIMD16, Mask = 0xe)  mlen 2", "load", 1],
  ["data MsgDesc: (DC A64 untyped surface read, Surface = 253, SIMD16, Mask = 0x8)  mlen 4", "load", 3],
  ["const MsgDesc: (bti 2, msg", "load", 0],
  ["gateway MsgDesc: (barrier msg)  mlen 1 ex_mlen 0 rlen 0", "other", 0],
])("%s", (text, kind, words) => {
  expect(messageOf(`                            ${text}`)).toEqual({ kind, words });
});

it("an estimate is by what is tightest, and spilled registers go to memory", () => {
  const loop = { multiplyAdds: 64, slots: 80, memoryWords: 16, sharedWords: 16, spills: 0, fills: 0 };
  expect(peakShare(loop)).toEqual({ bound: "arithmetic", share: 0.8 });
  expect(peakShare({ ...loop, spills: 8, fills: 8 })).toEqual({ bound: "memory", share: 0.5 });
  expect(peakShare({ ...loop, sharedWords: 64 })).toEqual({ bound: "workgroup memory", share: 0.25 });
});

it("reads the statistics of each pipeline, and passes over those that the driver has compiled before", () => {
  const log = `noise
@@begin conv2d/gather TM=8u
shared_size: 64
shared_size: 512
NIR of ...
${ASSEMBLY}
@@end
@@begin conv2d/gather TM=4u
@@end
`;
  const loop = hotLoop(ASSEMBLY, 16, 8)!;
  expect(readLog(log, "tgl")).toEqual({
    "conv2d/gather TM=8u": {
      simd: 16,
      instructions: 4080,
      spills: 115,
      fills: 529,
      sends: 23,
      scratchBytes: 0,
      workgroupBytes: 512,
      loop: { ...loop, ...peakShare(loop) },
    },
  });
  // The engines of Lunar Lake compute 16 lanes a clock, so narrow instructions take as long as whole ones.
  expect(readLog(log, "lnl")["conv2d/gather TM=8u"]?.loop?.slots).toBe(9);
});
