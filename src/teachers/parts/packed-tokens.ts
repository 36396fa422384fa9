import type { TokenSpans } from '../../data/batch.ts';
import type { Tensor } from '../../onnx/tensor.ts';

/**
 * What a value says of the tokens of samples, without the places of padding: of float32 [rows, padded, ...] the stretches of the
 * samples' tokens one after another, float32 [tokens, ...].
 */
export function packTokens({ type, dims, data }: Tensor, spans: TokenSpans): Tensor {
  const inner = widthOf(dims);
  const tokens = spans.lengths.reduce((sum, length) => sum + length, 0);
  const packed = new Float32Array(tokens * inner);
  eachRun(spans, inner, (own, padded, count) => {
    packed.set((data as Float32Array).subarray(padded, padded + count), own);
  });
  return { type, dims: [tokens, ...dims.slice(2)], data: packed };
}

/** The same backwards: zeros where there are no tokens, and in rows that are no samples. */
export function unpackTokens({ type, dims, data }: Tensor, spans: TokenSpans, rows: number): Tensor {
  const inner = dims.slice(1).reduce((product, dim) => product * dim, 1);
  const values = new Float32Array(rows * spans.padded * inner);
  eachRun(spans, inner, (own, padded, count) => {
    values.set((data as Float32Array).subarray(own, own + count), padded);
  });
  return { type, dims: [rows, spans.padded, ...dims.slice(1)], data: values };
}

/** A value as it is after packing and unpacking: zeros in the places of padding. */
export function withoutPaddedPlaces(value: Tensor, spans: TokenSpans): Tensor {
  return unpackTokens(packTokens(value, spans), spans, value.dims[0] as number);
}

function widthOf(dims: readonly number[]): number {
  return dims.slice(2).reduce((product, dim) => product * dim, 1);
}

function eachRun(
  { padded, starts, lengths }: TokenSpans,
  inner: number,
  run: (own: number, padded: number, count: number) => void,
): void {
  let own = 0;
  for (const [row, length] of lengths.entries()) {
    const start = (row * padded + (starts[row] as number)) * inner;
    run(own, start, length * inner);
    own += length * inner;
  }
}
