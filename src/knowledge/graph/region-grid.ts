/** Images are told of in as many rows and columns of regions. */
export const GRID = 4;
export const REGIONS = GRID * GRID;

/** Sounds are told of in so many parts of their length. */
export const TIME_PARTS = 16;
/** For people: `0 to 6 %`. */
export const TIME_NAMES: readonly string[] = Array.from({ length: TIME_PARTS }, (_, part) => {
  const at = (parts: number) => Math.round((100 * parts) / TIME_PARTS);
  return `${at(part)} to ${at(part + 1)} %`;
});

const DOWN: readonly string[] = ['top', 'upper', 'lower', 'bottom'];
const ACROSS: readonly string[] = ['left', 'centre left', 'centre right', 'right'];

/** For people, row by row: `top left`, `upper centre right`. */
export const REGION_NAMES: readonly string[] = DOWN.flatMap((row) =>
  ACROSS.map((column) => `${row} ${column}`),
);

/**
 * How much of each of `size` pixels in a row lies in each of the parts of the row (`GRID` of them when absent): [parts, size], row-major.
 * Every pixel's parts add up to 1, whatever the sizes.
 */
export function partsOfLine(size: number, count = GRID): Float32Array {
  const parts = new Float32Array(count * size);
  for (let part = 0; part < count; part++) {
    const [from, to] = [(part * size) / count, ((part + 1) * size) / count];
    for (let pixel = 0; pixel < size; pixel++)
      parts[part * size + pixel] = Math.max(0, Math.min(to, pixel + 1) - Math.max(from, pixel));
  }
  return parts;
}

/**
 * How much of each patch of a vision transformer lies in each region: [patches, REGIONS]. What lies nowhere, like the
 * class token before the patches (Dosovitskiy et al., 2021) and all of patches that are no square, is spread evenly.
 */
export function regionsOfPatches(patches: number): Float32Array {
  const regions = new Float32Array(patches * REGIONS).fill(1 / REGIONS);
  const side = Math.floor(Math.sqrt(patches));
  const first = patches - side * side;
  if (first > 1) return regions;
  const line = partsOfLine(side);
  for (let patch = 0; patch < side * side; patch++) {
    const [y, x] = [Math.floor(patch / side), patch % side];
    for (let region = 0; region < REGIONS; region++) {
      const [row, column] = [Math.floor(region / GRID), region % GRID];
      regions[(first + patch) * REGIONS + region] =
        (line[row * side + y] as number) * (line[column * side + x] as number);
    }
  }
  return regions;
}
