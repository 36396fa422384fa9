import type { Batch } from '../data/batch.ts';
import type { Split } from '../data/split.ts';
import type { Engine } from '../engine/engine.ts';
import { readLogits } from '../metrics/class-answers.ts';
import { accuracy, confusionCounts, countAnswer, createConfusion, macroF1 } from '../metrics/confusion.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import type { Evaluation } from '../train/early-stopping.ts';
import { SessionsByVariant } from '../train/sessions-by-variant.ts';
import { trainedTensors } from '../train/step-graph.ts';

import { splitBatches } from './sample-batches.ts';
import type { ModelInputs, Variant } from './tasks/task.ts';

export interface ParameterEvaluator {
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  close(): Promise<void>;
}

/**
 * Evaluates a student's parameters on a labelled split while it is being trained: `inputs` says what
 * it is fed. The sessions take the parameters as inputs, so that nothing is loaded anew for each evaluation.
 */
export function parameterEvaluator<B extends Batch>(options: {
  readonly engine: Engine;
  readonly student: Student;
  readonly split: Split<B>;
  readonly batchSize: number;
  readonly classes: number;
  readonly inputs: ModelInputs<B>;
  /** Between which classes the answer to a sample of a class is sought, asked for each sample; all when absent. */
  readonly among?: (label: number) => readonly number[];
}): ParameterEvaluator {
  const { engine, student, split, batchSize, classes, inputs, among } = options;
  const tensors = trainedTensors(student);
  const sessions = new SessionsByVariant(
    ({ sizes }: Variant) =>
      engine.load(writeModel(compileForward(student, sizes)), { title: 'the student', spinning: false }),
    ({ name }) => name,
  );
  return {
    async evaluate(parameters) {
      const confusion = createConfusion(classes);
      const feeds: Record<string, Tensor> = {};
      for (const [name, data] of parameters) feeds[name] = { ...(tensors.get(name) as Tensor), data };
      let loss = 0;
      let counted = 0;
      for (const batch of splitBatches(split, batchSize)) {
        const session = await sessions.get(inputs.variant(batch));
        const { logits } = await session.run({ ...feeds, ...inputs.feeds(batch) }, { logits: null });
        for (const { label, answer, crossEntropy } of readLogits(logits, batch, among)) {
          countAnswer(confusion, label, answer);
          loss += crossEntropy;
          counted++;
        }
      }
      const counts = confusionCounts(confusion);
      return { accuracy: accuracy(counts), macroF1: macroF1(counts), loss: loss / Math.max(1, counted) };
    },
    close: () => sessions.release(),
  };
}
