import type { Progress } from "../app/state.js";

const WIDTH = 280;
const HEIGHT = 56;

/** Loss and accuracy on the strokes that are held back, over the steps. */
export function Curves({ points }: { readonly points: readonly Progress[] }) {
  const accuracies = points.flatMap(({ step, heldBack }) =>
    heldBack === undefined ? [] : [{ step, value: heldBack.accuracy }],
  );
  const losses = points.map(({ step, loss }) => ({ step, value: loss }));
  const most = Math.max(...losses.map(({ value }) => value), 1e-6);
  return (
    <div class="curves">
      <Curve name="Loss" points={losses} most={most} shown={(value) => value.toFixed(3)} kind="loss" />
      <Curve
        name="Held-back accuracy"
        points={accuracies}
        most={1}
        shown={(value) => `${Math.round(value * 100)} %`}
        kind="accuracy"
      />
    </div>
  );
}

interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

function Curve({
  name,
  points,
  most,
  shown,
  kind,
}: {
  readonly name: string;
  readonly points: readonly CurvePoint[];
  readonly most: number;
  readonly shown: (value: number) => string;
  readonly kind: string;
}) {
  const [first, last] = [points[0], points.at(-1)];
  const steps = Math.max(1, (last?.step ?? 1) - (first?.step ?? 0));
  const line = points
    .map(({ step, value }) => {
      const x = ((step - (first?.step ?? 0)) / steps) * WIDTH;
      return `${x.toFixed(1)},${(HEIGHT - (value / most) * HEIGHT).toFixed(1)}`;
    })
    .join(" ");
  const words =
    first === undefined || last === undefined
      ? `${name}: nothing yet`
      : `${name}: ${shown(first.value)} at step ${first.step}, ${shown(last.value)} at step ${last.step}`;
  return (
    <figure class={`curve ${kind}`}>
      <figcaption>
        {name}
        <span>{last === undefined ? "" : shown(last.value)}</span>
      </figcaption>
      <svg
        class="plot"
        viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words}
      >
        {[0, 0.5, 1].map((at) => (
          <line key={at} x1={0} x2={WIDTH} y1={at * HEIGHT} y2={at * HEIGHT} class="grid" />
        ))}
        {points.length > 1 && <polyline points={line} />}
      </svg>
    </figure>
  );
}
