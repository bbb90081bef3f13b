import { Camera, FolderOpen, ImagePlus, X } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import { makeThumbnails, removeImage, thumbnails } from "../app/images.js";
import { dialog, session, shownId } from "../app/state.js";
import type { PaintedImage } from "../session/types.js";
import { Button, IconButton } from "./controls.js";
import { pickFiles, pickFolder } from "./picking.js";

/** The images, and how to bring more. */
export function Strip() {
  const { images } = session.value;
  useEffect(() => {
    void makeThumbnails();
  }, [images]);
  return (
    <section class="panel strip" aria-label="Images" id="panel-images">
      <div class="bring">
        <Button icon={ImagePlus} onClick={pickFiles}>
          Add images
        </Button>
        <IconButton label="Add a folder" icon={FolderOpen} onClick={pickFolder} />
        <IconButton
          label="Take a photo"
          icon={Camera}
          onClick={() => {
            dialog.value = "camera";
          }}
        />
      </div>
      <ul aria-label="Images">
        {images.map((image) => (
          <Thumbnail key={image.id} image={image} />
        ))}
      </ul>
    </section>
  );
}

function Thumbnail({ image }: { readonly image: PaintedImage }) {
  const { id, name, strokes } = image;
  const button = useRef<HTMLButtonElement>(null);
  const isShown = shownId.value === id;
  useEffect(() => {
    if (isShown) button.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [isShown]);
  const address = thumbnails.value.get(id);
  return (
    <li class="thumbnail" data-shown={isShown}>
      <button
        type="button"
        ref={button}
        aria-label={`Show ${name} (${strokes.length} strokes)`}
        aria-current={isShown}
        title={name}
        data-strokes={strokes.length || undefined}
        onClick={() => {
          shownId.value = id;
        }}
      >
        {address ? <img src={address} alt="" loading="lazy" draggable={false} /> : <span class="waiting" />}
      </button>
      <IconButton label={`Remove ${name}`} icon={X} onClick={() => removeImage(id)} />
    </li>
  );
}
