import { type Batch, type Variant, variantOf } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { Engine } from '../../engine/engine.ts';
import { type MeasuredOutput, OutputsMeasuring } from '../../metrics/measure-outputs.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Student } from '../../students/student.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { compileForward } from '../../train/compile-step.ts';
import { SessionsByVariant } from '../../train/sessions-by-variant.ts';
import { trainedTensors } from '../../train/step-graph.ts';

import { filledBatches } from '../batches/sample-batches.ts';

export interface ParameterEvaluator {
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  close(): Promise<void>;
}

/**
 * Evaluates a student's parameters on a labelled split while it is being trained. It is fed the
 * columns of the split's batches. The sessions take the parameters as inputs, so that nothing is loaded anew for each evaluation.
 */
export function parameterEvaluator(options: {
  readonly engine: Engine;
  readonly student: Student;
  readonly split: Split;
  readonly batchSize: number;
  /** What of the student is measured, and by what. */
  readonly outputs: readonly MeasuredOutput[];
  /** What is read of a batch, where that is not its own columns. */
  readonly read?: (batch: Batch) => Batch;
}): ParameterEvaluator {
  const { engine, student, split, batchSize, outputs, read = (batch) => batch } = options;
  const tensors = trainedTensors(student);
  const outputNames = outputs.map(({ output }) => output);
  const sessions = new SessionsByVariant(
    ({ sizes }: Variant) =>
      engine.load(writeModel(compileForward(student, sizes, outputNames)), {
        title: 'the student',
        spinning: false,
        memoryPattern: false,
        sharedMemory: true,
      }),
    ({ name }) => name,
  );
  return {
    async evaluate(parameters) {
      const measuring = new OutputsMeasuring(outputs);
      const feeds: Record<string, Tensor> = {};
      for (const [name, data] of parameters) feeds[name] = { ...(tensors.get(name) as Tensor), data };
      for (const given of filledBatches(split, batchSize)) {
        const batch = read(given);
        const session = await sessions.get(variantOf(batch));
        const answers = await session.run(
          { ...feeds, ...takenFeeds(session, batch.columns) },
          measuring.fetches(),
        );
        measuring.add(answers, batch);
      }
      return measuring.values();
    },
    close: () => sessions.release(),
  };
}
