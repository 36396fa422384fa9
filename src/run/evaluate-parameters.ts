import type { Batch } from '../data/batch.ts';
import type { Split } from '../data/split.ts';
import type { Engine } from '../engine/engine.ts';
import { type MeasuredOutput, OutputsMeasuring } from '../metrics/measure-outputs.ts';
import type { Evaluation } from '../metrics/metric.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import { SessionsByVariant } from '../train/sessions-by-variant.ts';
import { trainedTensors } from '../train/step-graph.ts';

import { labelFeeds, splitBatches } from './sample-batches.ts';
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
  /** What of the student is measured, and by what. */
  readonly outputs: readonly MeasuredOutput[];
  readonly inputs: ModelInputs<B>;
}): ParameterEvaluator {
  const { engine, student, split, batchSize, outputs, inputs } = options;
  const tensors = trainedTensors(student);
  const sessions = new SessionsByVariant(
    ({ sizes }: Variant) =>
      engine.load(writeModel(compileForward(student, sizes)), { title: 'the student', spinning: false }),
    ({ name }) => name,
  );
  return {
    async evaluate(parameters) {
      const measuring = new OutputsMeasuring(outputs);
      const feeds: Record<string, Tensor> = {};
      for (const [name, data] of parameters) feeds[name] = { ...(tensors.get(name) as Tensor), data };
      for (const batch of splitBatches(split, batchSize)) {
        const session = await sessions.get(inputs.variant(batch));
        const answers = await session.run({ ...feeds, ...inputs.feeds(batch) }, measuring.fetches);
        measuring.add(answers, { ...batch, columns: labelFeeds(batch) });
      }
      return measuring.values();
    },
    close: () => sessions.release(),
  };
}
