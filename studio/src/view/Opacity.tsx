import { opacity } from "../app/state.js";
import { Slider } from "./controls.js";

/** How much of the prediction covers the image; it stands where there is room for it. */
export function Opacity({ label }: { readonly label: string }) {
  const percent = Math.round(opacity.value * 100);
  return (
    <Slider
      label={label}
      least={0}
      most={100}
      value={percent}
      shown={`${percent} %`}
      onInput={(chosen) => {
        opacity.value = chosen / 100;
      }}
    />
  );
}
