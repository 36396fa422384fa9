/** How labels are kept: float16 halves the disk, at a relative error of 2^-11 and up to 65,504. */
export type LabelEncoding = 'float16' | 'float32';

export const BYTES_PER_VALUE: Record<LabelEncoding, number> = { float16: 2, float32: 4 };
