import { Camera as CameraIcon } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addImageFiles } from "../app/images.js";
import { noteError } from "../app/notes.js";
import { dialog } from "../app/state.js";
import { Button, Dialog } from "./controls.js";

/** Takes a photo with the camera of the machine. */
export function Camera() {
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<"asking" | "ready" | string>("asking");
  // Until a photo is among the images, another click would take one more.
  const [isTaking, setTaking] = useState(false);

  useEffect(() => {
    let stream: MediaStream | undefined;
    let isOpen = true;
    openCamera()
      .then(async (opened) => {
        stream = opened;
        const element = video.current;
        if (!isOpen || element === null) return stop(opened);
        element.srcObject = opened;
        await element.play();
        setState("ready");
      })
      .catch((thrown: unknown) => isOpen && setState(refusal(thrown)));
    return () => {
      isOpen = false;
      stop(stream);
    };
  }, []);

  return (
    <Dialog
      title="Take a photo"
      onClose={() => {
        dialog.value = null;
      }}
    >
      <video
        ref={video}
        class="camera"
        muted
        playsInline
        aria-label="What the camera sees"
        hidden={state !== "ready"}
      />
      {state === "asking" && <p role="status">Asking for the camera …</p>}
      {state !== "asking" && state !== "ready" && <p role="alert">{state}</p>}
      <div class="row">
        <Button
          icon={CameraIcon}
          kind="primary"
          disabled={state !== "ready" || isTaking}
          onClick={() => {
            setTaking(true);
            void shoot(video.current).finally(() => setTaking(false));
          }}
        >
          Take the photo
        </Button>
      </div>
    </Dialog>
  );
}

async function openCamera(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) throw new DOMException("", "SecurityError");
  return navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1440 } },
  });
}

function refusal(thrown: unknown): string {
  const { name } = thrown as DOMException;
  if (name === "NotAllowedError") {
    return "The camera is not allowed here: allow it beside the address of the page, then open this again.";
  }
  if (name === "NotFoundError") return "There is no camera: connect one, or choose image files instead.";
  if (name === "SecurityError")
    return "Browsers give the camera to https pages and localhost only: choose image files.";
  return "The camera cannot be opened: close what else uses it, then open this again.";
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function shoot(video: HTMLVideoElement | null): Promise<void> {
  if (video === null) return;
  try {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    await addImageFiles([{ name: "photo.jpg", file }]);
    dialog.value = null;
  } catch (thrown) {
    noteError(thrown);
  }
}
