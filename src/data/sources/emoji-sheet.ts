import { sharpLibrary } from '../modalities/image/sharp-library.ts';

/** A sheet of many small images of one size, in a grid. */
export interface CutSheet {
  /** The bytes of an image [3, side, side]; undefined outside of the sheet. */
  cell(column: number, row: number): Uint8Array | undefined;
}

/** Reads a sheet whose images have `side` pixels and `gap` empty pixels around each. */
export async function cutSheet(
  file: Uint8Array,
  { side, gap, background }: { readonly side: number; readonly gap: number; readonly background: string },
): Promise<CutSheet> {
  const { pixels } = await sharpLibrary().decode(file, { maxPixels: 50e6, background });
  const { width, height, channels, data } = pixels;
  const pitch = side + 2 * gap;
  return {
    cell(column, row) {
      const [left, top] = [column * pitch + gap, row * pitch + gap];
      if (left + side > width || top + side > height) return undefined;
      const cut = new Uint8Array(channels * side * side);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const from = ((top + y) * width + left + x) * channels;
          for (let channel = 0; channel < channels; channel++)
            cut[(channel * side + y) * side + x] = data[from + channel] as number;
        }
      }
      return cut;
    },
  };
}
