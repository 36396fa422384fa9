/** The drawings that are searched: their names, and where they are in one sheet of images. */
export interface Gallery {
  readonly names: readonly string[];
  /** Pixels of a drawing along both sides. */
  readonly side: number;
  /** Drawings in a row of the sheet. */
  readonly columns: number;
}

/** One model of the page, as its folder has it. */
export interface ModelFacts {
  readonly title: string;
  /** Numbers in a vector. */
  readonly width: number;
  /** Bytes of its text tower. */
  readonly bytes: number;
}

export const GALLERY_FILE = 'gallery.json';
export const SHEET_FILE = 'sheet.png';
/** In the folder of a model: its facts, and its vectors of the drawings. */
export const FACTS_FILE = 'facts.json';
export const VECTORS_FILE = 'vectors.bin';
export const TEXT_MODEL_FILE = 'text_model.onnx';

/** Vectors of length 1 in a byte a number: a hundredth of a cosine is lost at most. */
export function packVectors(vectors: Float32Array): Int8Array {
  return Int8Array.from(vectors, (value) => Math.round(127 * value));
}

/** The vectors of a file, of length 1 again. */
export function unpackVectors(bytes: ArrayBuffer, width: number): Float32Array {
  const vectors = Float32Array.from(new Int8Array(bytes));
  for (let start = 0; start < vectors.length; start += width) {
    const vector = vectors.subarray(start, start + width);
    const length = Math.hypot(...vector) || 1;
    for (let i = 0; i < width; i++) vector[i] = (vector[i] as number) / length;
  }
  return vectors;
}
