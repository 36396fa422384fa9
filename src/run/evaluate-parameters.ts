import type { TokenSplit } from '../data/token-split.ts';
import type { Engine, Session } from '../engine/engine.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { accuracy, confusionCounts, countAnswer, createConfusion, macroF1 } from '../report/confusion.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import type { Evaluation } from '../train/early-stopping.ts';
import { parameterTensors } from '../train/step-graph.ts';
import { readLogits } from './logits.ts';
import { splitBatches, tokenFeeds, variantName } from './text-batches.ts';

export interface ParameterEvaluator {
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  close(): Promise<void>;
}

/**
 * Evaluates a text student's parameters on a labelled split while it is being trained. The sessions take the
 * parameters as inputs, so that nothing is loaded anew for each evaluation.
 */
export function parameterEvaluator(options: {
  readonly engine: Engine;
  readonly student: Student;
  readonly split: TokenSplit;
  readonly batchSize: number;
  readonly classes: number;
}): ParameterEvaluator {
  const { engine, student, split, batchSize, classes } = options;
  const sessions = new Map<string, Session>();
  const tensors = parameterTensors(student);
  const sessionFor = async (length: number): Promise<Session> => {
    const variant = variantName(length);
    let session = sessions.get(variant);
    if (!session) {
      session = await engine.load(
        writeModel(compileForward(student, { batch: batchSize, sequence: length })),
        { title: 'the student', spinning: false },
      );
      sessions.set(variant, session);
    }
    return session;
  };
  return {
    async evaluate(parameters) {
      const confusion = createConfusion(classes);
      const feeds: Record<string, Tensor> = {};
      for (const [name, data] of parameters) feeds[name] = { ...(tensors.get(name) as Tensor), data };
      let loss = 0;
      let counted = 0;
      for (const batch of splitBatches(split, batchSize)) {
        const session = await sessionFor(batch.length);
        const { logits } = await session.run({ ...feeds, ...tokenFeeds(batch) }, { logits: null });
        for (const { label, answer, crossEntropy } of readLogits(logits, batch)) {
          countAnswer(confusion, label, answer);
          loss += crossEntropy;
          counted++;
        }
      }
      const counts = confusionCounts(confusion);
      return { accuracy: accuracy(counts), macroF1: macroF1(counts), loss: loss / Math.max(1, counted) };
    },
    async close() {
      for (const session of sessions.values()) await session.release();
    },
  };
}
