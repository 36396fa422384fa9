import type { Graph } from '../../onnx/graph.ts';
import { randomStream } from '../../random.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import { attachHead } from '../../teachers/classifier.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { parameterTensors } from '../../train/step-graph.ts';
import { headTensors } from './train-head.ts';

/** An encoder with a head of classes that learnt nothing: it has the size of the trained one, and costs what that costs. */
export function untrainedClassifier(
  source: TextTeacherSource,
  { classes, hidden, seed }: { readonly classes: number; readonly hidden: number; readonly seed: number },
): Graph {
  const { embeddingOutput, embeddingWidth } = source;
  if (embeddingOutput === undefined || embeddingWidth === undefined)
    throw new Error(`${source.title} has no embedding`);
  const size = { width: embeddingWidth, classes, hidden };
  const head = buildClassifierHead(size, randomStream(seed, 'teacher-head'));
  const initial = new Map(
    [...parameterTensors(head)].map(([name, { data }]) => [name, data as Float32Array]),
  );
  return attachHead(source.model, headTensors(head, initial), embeddingOutput);
}
