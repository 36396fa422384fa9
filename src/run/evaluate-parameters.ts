import type { TokenBatch } from '../data/batch.ts';
import type { TokenSplit } from '../data/token-split.ts';
import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { accuracy, confusionCounts, countAnswer, createConfusion, macroF1 } from '../report/confusion.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import type { Evaluation } from '../train/early-stopping.ts';
import { SessionsByVariant } from '../train/sessions-by-variant.ts';
import { trainedTensors } from '../train/step-graph.ts';
import { readLogits } from './logits.ts';
import { splitBatches, tokenFeeds, variantName } from './text-batches.ts';

export interface ParameterEvaluator {
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  close(): Promise<void>;
}

/** The sizes that a forward pass is compiled for; one session for each name. */
interface Variant {
  readonly name: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/** What a student is fed for a batch. */
export interface StudentInputs {
  /** For batches of this shape. */
  variant(rows: number, length: number): Variant;
  feeds(batch: TokenBatch): Readonly<Record<string, Tensor>>;
}

const TEXT_INPUTS: StudentInputs = {
  variant: (rows, length) => ({ name: variantName(length), sizes: { batch: rows, sequence: length } }),
  feeds: tokenFeeds,
};

/**
 * Evaluates a student's parameters on a labelled split while it is being trained: a text student, unless `inputs` says
 * what else it is fed. The sessions take the parameters as inputs, so that nothing is loaded anew for each evaluation.
 */
export function parameterEvaluator(options: {
  readonly engine: Engine;
  readonly student: Student;
  readonly split: TokenSplit;
  readonly batchSize: number;
  readonly classes: number;
  readonly inputs?: StudentInputs;
}): ParameterEvaluator {
  const { engine, student, split, batchSize, classes, inputs = TEXT_INPUTS } = options;
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
        const session = await sessions.get(inputs.variant(batchSize, batch.length));
        const { logits } = await session.run({ ...feeds, ...inputs.feeds(batch) }, { logits: null });
        for (const { label, answer, crossEntropy } of readLogits(logits, batch)) {
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
