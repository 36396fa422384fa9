import type { Graph } from '../onnx/graph.ts';
import type { SentenceSpace } from './sentence-truth.ts';

/** What is to be known of a model that writes, in its file's metadata. */
export interface WriterFacts extends SentenceSpace {
  /** The output with the logits of words. */
  readonly output: string;
  /** The input with the word before each. */
  readonly input: string;
}

/** The key of a model's metadata under which its facts are, as JSON. */
export const WRITER_METADATA = 'limbeck.sentence';

/** The facts of a model that writes; undefined for other models. */
export function writerFacts({ metadata }: Pick<Graph, 'metadata'>): WriterFacts | undefined {
  const told = metadata.get(WRITER_METADATA);
  return told === undefined ? undefined : (JSON.parse(told) as WriterFacts);
}
