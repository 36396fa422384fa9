/** Precisions in which a student's files ship. File names and `dtype` are those of transformers.js. */
export const PRECISIONS = {
  f32: { suffix: '', dtype: 'fp32', title: 'float32' },
  int8: { suffix: '_quantized', dtype: 'q8', title: 'int8' },
  q4: { suffix: '_q4', dtype: 'q4', title: '4-bit weights' },
  fp16: { suffix: '_fp16', dtype: 'fp16', title: 'float16' },
} as const satisfies Record<string, { suffix: string; dtype: string; title: string }>;

export type Precision = keyof typeof PRECISIONS;

/** Those that a recipe asks for beside float32 and int8, in the order in which they are told. */
export const FURTHER_PRECISIONS = ['q4', 'fp16'] as const satisfies readonly Precision[];
export type FurtherPrecision = (typeof FURTHER_PRECISIONS)[number];

/** A value for each further precision that is there. */
export type ByPrecision<T> = Readonly<Partial<Record<FurtherPrecision, T>>>;

/** Where a model is in a package: `onnx/model_q4.onnx`. */
export function fileOf(precision: Precision, stem = 'model'): string {
  return `onnx/${stem}${PRECISIONS[precision].suffix}.onnx`;
}
