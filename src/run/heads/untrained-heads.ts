import type { Graph } from '../../onnx/graph.ts';
import { randomStream } from '../../random.ts';
import { buildHead } from '../../students/build-head.ts';
import type { Head } from '../../targets/head.ts';
import { attachGraph } from '../../teachers/classifier.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';

/** An encoder with heads that learnt nothing: it costs what the trained ones cost. */
export function withUntrainedHeads(
  source: TextTeacherSource,
  heads: readonly Head[],
  hidden: number,
  seed: number,
): Graph {
  const { embeddingOutput, embeddingWidth } = source;
  if (embeddingOutput === undefined || embeddingWidth === undefined)
    throw new Error(`${source.title} has no embedding`);
  return heads.reduce((model, head, i) => {
    const { graph } = buildHead(head, { width: embeddingWidth, hidden }, randomStream(seed, 'teacher-head'));
    const keep = heads.slice(0, i).map(({ output }) => output);
    return attachGraph(model, graph, embeddingOutput, head.output, keep);
  }, source.model);
}
