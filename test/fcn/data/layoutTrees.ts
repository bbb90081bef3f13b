import { jpeg, palettePng } from "./trees.js";

const PALETTE = Array.from({ length: 256 }, (_, i) => [i, (i * 7) % 256, (i * 13) % 256]);
const SQUARE = [2, 2, 12, 2, 12, 12, 2, 12];

const coco = (file: string, category: number) => ({
  images: [{ id: 1, file_name: file, height: 24, width: 32 }],
  annotations: [{ id: 1, image_id: 1, category_id: category, segmentation: [SQUARE], iscrowd: 0 }],
  categories: [
    { id: 1, name: "cat" },
    { id: 2, name: "dog" },
  ],
});

const labelme = (file: string) => ({
  version: "5.0.1",
  shapes: [
    {
      label: "cat",
      shape_type: "polygon",
      points: [
        [2, 2],
        [12, 2],
        [12, 12],
      ],
    },
  ],
  imagePath: file,
  imageHeight: 24,
  imageWidth: 32,
});

/** Images of 24x32 pixels. */
export const photos = [await jpeg(24, 32, 1), await jpeg(24, 32, 2), await jpeg(24, 32, 3)] as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** A folder in each layout, by the name of the layout. */
export const TREES: Record<string, Record<string, Uint8Array | string>> = {
  voc: {
    ...Object.fromEntries(photos.map((photo, i) => [`JPEGImages/${i}.jpg`, photo])),
    ...Object.fromEntries(
      photos.map((_, i) => [`SegmentationClass/${i}.png`, palettePng(24, 32, PALETTE, (x) => (x < 9 ? 255 : i + 1))]),
    ),
    "ImageSets/Segmentation/train.txt": "0\n1\n",
    "ImageSets/Segmentation/val.txt": "2\n",
  },
  coco: {
    "train2017/1.jpg": photos[0],
    "val2017/2.jpg": photos[1],
    "annotations/instances_train2017.json": JSON.stringify(coco("1.jpg", 1)),
    "annotations/instances_val2017.json": JSON.stringify(coco("2.jpg", 2)),
    "._hidden.json": "{",
  },
  labelme: {
    "a/1.jpg": photos[0],
    "a/1.json": JSON.stringify(labelme("1.jpg")),
    "b/2.jpg": photos[1],
    "b/2.json": JSON.stringify(labelme("..\\b\\2.jpg")),
  },
};
