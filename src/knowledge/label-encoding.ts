/**
 * How labels are kept. float16 halves the disk, at a relative error of 2^-11 and up to 65,504. `float16-centred` takes the
 * mean of a sample's values away first: of logits a number that is in all of them says nothing, but a large one leaves
 * float16 no digits for what they differ by. `sparse` has, for each token, the ids of a few of many classes and a weight of each.
 * `float16-trimmed` has, for each token, its values up to the last that is not 0.
 */
export const LABEL_ENCODINGS = [
  'float16',
  'float16-centred',
  'float32',
  'sparse',
  'float16-trimmed',
] as const;
export type LabelEncoding = (typeof LABEL_ENCODINGS)[number];

export const BYTES_PER_VALUE: Record<LabelEncoding, number> = {
  float16: 2,
  'float16-centred': 2,
  float32: 4,
  sparse: 2,
  'float16-trimmed': 2,
};

/** How a teacher's answers for its classes are kept. */
export const LOGITS_ENCODING: LabelEncoding = 'float16-centred';
/** How earlier versions kept them, in spaces of their own. */
export const EARLIER_LOGITS_ENCODING: LabelEncoding = 'float16';
