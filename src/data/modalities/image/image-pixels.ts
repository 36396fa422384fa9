/** A decoded image: bytes in the order row, column, channel. */
export interface ImagePixels {
  readonly height: number;
  readonly width: number;
  /** 1 is grey, 3 are red, green and blue. */
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Bytes in the order channel, row, column, as models read them. */
export function channelsFirst({ height, width, channels, data }: ImagePixels): Uint8Array {
  if (channels === 1) return data;
  const plane = height * width;
  const planes = new Uint8Array(plane * channels);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < channels; channel++)
      planes[channel * plane + i] = data[i * channels + channel] as number;
  }
  return planes;
}

/** Bytes in the order channel, row, column as row, column, channel. */
export function channelsLast(
  planes: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
): Uint8Array {
  if (channels === 1) return planes;
  const plane = height * width;
  const data = new Uint8Array(planes.length);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < channels; channel++)
      data[i * channels + channel] = planes[channel * plane + i] as number;
  }
  return data;
}

/** The middle of an image; black surrounds it where it is smaller (as transformers.js and PIL cut it). */
export function centreCrop(image: ImagePixels, height: number, width: number): ImagePixels {
  if (image.height === height && image.width === width) return image;
  const { channels, data } = image;
  const cut = new Uint8Array(height * width * channels);
  const [rows, columns] = [overlap(image.height, height), overlap(image.width, width)];
  for (let row = 0; row < rows.count; row++) {
    const from = ((rows.from + row) * image.width + columns.from) * channels;
    const to = ((rows.to + row) * width + columns.to) * channels;
    cut.set(data.subarray(from, from + columns.count * channels), to);
  }
  return { height, width, channels, data: cut };
}

/** The places along one side that an image and its cut-out share. */
function overlap(image: number, cut: number) {
  return {
    from: Math.max(0, Math.floor((image - cut) / 2)),
    to: Math.max(0, Math.floor((cut - image) / 2)),
    count: Math.min(image, cut),
  };
}

/** Brightness of a colour image (ITU-R BT.601, as PIL's), [height, width, 1]. */
export function grey(image: ImagePixels): ImagePixels {
  if (image.channels === 1) return image;
  const { height, width, channels, data } = image;
  const light = new Uint8Array(height * width);
  for (let i = 0; i < light.length; i++) {
    const at = i * channels;
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]] as [number, number, number];
    light[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return { height, width, channels: 1, data: light };
}

/** A grey image in three equal channels. */
export function inColour(image: ImagePixels): ImagePixels {
  if (image.channels === 3) return image;
  const { height, width, data } = image;
  const colours = new Uint8Array(3 * data.length);
  for (let i = 0; i < data.length; i++) colours.fill(data[i] as number, 3 * i, 3 * i + 3);
  return { height, width, channels: 3, data: colours };
}
