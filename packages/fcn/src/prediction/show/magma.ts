/**
 * Matplotlib's colour map magma as polynomials of degree 6 in a value from 0 to 1, one a channel, lowest coefficient
 * first (Matt Zucker's fit, CC0, https://www.shadertoy.com/view/WlfXRN). Its lightness rises evenly.
 */
const CHANNELS = [
  [-0.002136486, 0.2516605, 8.353717, -27.66873, 52.17614, -50.76853, 18.65571],
  [-0.0007496551, 0.6775232, -3.57772, 14.26473, -27.94361, 29.04658, -11.48977],
  [-0.005386128, 2.494027, 0.3144679, -13.64921, 12.94417, 4.234153, -5.601962],
] as const;

/** Red, green and blue of a value from 0 to 1, each 0 to 255. */
export function magma(value: number): readonly [number, number, number] {
  const channel = (c: 0 | 1 | 2): number => {
    const share = CHANNELS[c].reduceRight<number>((sum, coefficient) => sum * value + coefficient, 0);
    return Math.round(255 * Math.min(1, Math.max(0, share)));
  };
  return [channel(0), channel(1), channel(2)];
}
