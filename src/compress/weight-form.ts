/** How weights are quantised, as a caller asks for it. */
export interface WeightOptions {
  /** A scale for each output channel (`channel`, the default), or one for all of a tensor: what some accelerators demand. */
  weightScales?: 'channel' | 'tensor' | undefined;
  /** How many bits a weight has, 2 to 8 (8). With less than 8 the levels are still kept as int8. */
  weightBits?: number | undefined;
  /**
   * 7-bit weights: x86 processors without VNNI add two products in 16 bits, which saturate with all eight, and the
   * same file would answer otherwise on them (docs/measurements-int8.md). True by default; false where the file only
   * runs on processors with VNNI, on ARM or in WASM.
   */
  reduceRange?: boolean | undefined;
}

/** How weights are quantised: symmetric, in -levels..levels. */
export interface WeightForm {
  readonly scales: 'channel' | 'tensor';
  readonly levels: number;
  /** Scales that were learnt, by the name of the weights. */
  readonly trained: ReadonlyMap<string, Float32Array> | undefined;
}

export function weightForm(
  { weightScales = 'channel', weightBits = 8, reduceRange = true }: WeightOptions,
  trained?: ReadonlyMap<string, Float32Array>,
): WeightForm {
  const bits = reduceRange ? Math.min(weightBits, 7) : weightBits;
  return { scales: weightScales, levels: 2 ** (bits - 1) - 1, trained };
}
