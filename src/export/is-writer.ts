import type { Graph } from '../onnx/graph.ts';
import { existsSync } from '../platform/files.ts';
import { writerFacts } from '../targets/writer-facts.ts';

/** The stem of the files of the part of a model that writes. */
export const WRITER_STEM = 'decoder_model';

/** Whether a model writes: as it is trained, or in two files. */
export function isWriter(file: string, graph: Graph): boolean {
  return writerFacts(graph) !== undefined || hasWriterFile(file);
}

/** Where the part that writes is, of a package's model file. */
export function writerFileOf(file: string): string {
  return file.replace(/model((?:_[a-z0-9]+)?\.onnx)$/, `${WRITER_STEM}$1`);
}

/** Whether a model's file has one beside it that writes: never a decoder's own. */
export function hasWriterFile(file: string): boolean {
  const beside = writerFileOf(file);
  return !file.includes(WRITER_STEM) && beside !== file && existsSync(beside);
}
