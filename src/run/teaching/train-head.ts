import { type Batch, variantName } from '../../data/batch.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { LimbeckError } from '../../errors.ts';
import { labelSplit } from '../../knowledge/label.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { crossEntropy } from '../../metrics/cross-entropy.ts';
import type { Evaluation, Metric } from '../../metrics/metric.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { termsOfOutputs } from '../../objectives/label-terms.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { buildHead } from '../../students/build-head.ts';
import { buildClassifierHead, HIDDEN_INPUT_SCALE } from '../../students/classifier-head.ts';
import type { Student } from '../../students/student.ts';
import { classesOf, type Head } from '../../targets/head.ts';
import { attachGraph, attachHead, type ClassifierHead } from '../../teachers/classifier.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import { adamw } from '../../train/adamw.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import { parameterTensors, withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { readKnowledge, sampledRows, splitBatches, trainingBatch } from '../batches/sample-batches.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import { spreadsOf } from '../heads/label-terms.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { type LabellingInputs, openLabeller, TEACHER_BATCH } from './ask-teacher.ts';
import { estimatedShares, shareShift } from './class-shares.ts';

/** Embeddings are small: many go through the head at once. */
const EVALUATION_ROWS = 256;

/** A plan counts with it too. */
export const HEAD_CHECKPOINT_SECONDS = 30;

export interface HeadOptions {
  /** Width of a hidden layer; 0 for none. */
  readonly hidden: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchSize: number;
  /** How far the head goes to the estimated shares of the classes, 0 to 1. */
  readonly classShares: number;
}

/** What is trained on, and what it answers. */
export interface HeadData {
  readonly dataset: TextDataset;
  readonly heads: readonly Head[];
  /** Of one of several teachers a name of its own, which tells its trainings from those of the others. */
  readonly name?: string | undefined;
}

/**
 * Trains a head for each output on the frozen encoder's embeddings of the labelled samples, and puts them on the encoder.
 * The embeddings are computed once and kept in the knowledge store, so that another head costs seconds.
 *
 * @throws LimbeckError `recipe.invalid` for an output that does not answer for a sample as a whole
 */
export async function trainHeads(
  run: RunContext,
  source: TextTeacherSource,
  data: HeadData,
  labelling: LabellingInputs,
  options: HeadOptions,
): Promise<{ model: Graph; validation: Evaluation }> {
  for (const { output, features, target } of data.heads) {
    if (features === 'pooled') continue;
    throw new LimbeckError(
      'recipe.invalid',
      `a head on one vector a sample cannot answer with ${target.title}`,
      {
        where: `teacher.train: head, for outputs.${output}`,
        remedy: 'Take a teacher that has this output (train: none).',
      },
    );
  }
  const { dataset, name = 'teacher' } = data;
  // Shares of classes are those of the main output.
  const sample =
    options.classShares > 0 && isOneClass(data.heads[0])
      ? sampledRows(dataset.splits.train, SHARES_SAMPLES)
      : undefined;
  const space = await embed(run, source, dataset, labelling, sample);
  let { model } = source;
  let validation: Evaluation = {};
  for (const [index, head] of data.heads.entries()) {
    const trained = await trainHead(
      run,
      { ...source, model },
      { dataset, head, name, keep: data.heads.slice(0, index).map(({ output }) => output) },
      space,
      options,
      sample,
    );
    model = trained.model;
    const several = data.heads.length > 1 ? `${head.output}/` : '';
    for (const [name, value] of Object.entries(trained.validation))
      validation = { ...validation, [`${several}${name}`]: value };
  }
  return { model, validation };
}

type Sample = ReturnType<typeof sampledRows> | undefined;

function isOneClass(head: Head | undefined): boolean {
  return head?.target.kind === 'class';
}

/** Asks the encoder about the texts that heads are trained on, as far as the store does not know. */
async function embed(
  run: RunContext,
  source: TextTeacherSource,
  dataset: TextDataset,
  labelling: LabellingInputs,
  sample: Sample,
): Promise<LabelSpace> {
  const { embeddingOutput } = source;
  if (embeddingOutput === undefined) throw new Error(`${source.title} has no embedding`);
  const encoder = await openLabeller(run, labelling, writeModel(source.model), source.title, {
    parallel: true,
  });
  const { labelled, validation } = dataset.splits;
  try {
    const all = (split: TextSplit) => ({
      name: split.name,
      batches: (rows: number) => splitBatches(split, rows),
    });
    const unlabelled = sample ? [{ name: 'unlabelled', ...sample }] : [];
    for (const split of [all(labelled), all(validation), ...unlabelled]) {
      await labelSplit({
        teacher: encoder,
        taps: [embeddingOutput],
        split,
        store: run.store,
        encoding: 'float32',
        batchSize: TEACHER_BATCH,
        signal: run.options.signal,
        onProgress: ({ done, total }) =>
          run.emit({
            type: 'progress',
            stage: 'teacher',
            task: `embedding the ${split.name} texts`,
            done,
            total,
            unit: 'texts',
          }),
      });
    }
  } finally {
    await encoder.close();
  }
  const { title, hash, preprocessing, outputs } = encoder;
  const dims = outputs[embeddingOutput].dims;
  return run.store.space({
    title,
    teacher: hash,
    tap: embeddingOutput,
    preprocessing,
    dims,
    encoding: 'float32',
  });
}

async function trainHead(
  run: RunContext,
  source: TextTeacherSource,
  {
    dataset,
    head,
    name,
    keep,
  }: {
    readonly dataset: TextDataset;
    readonly head: Head;
    readonly name: string;
    readonly keep: readonly string[];
  },
  space: LabelSpace,
  options: HeadOptions,
  sample: Sample,
): Promise<{ model: Graph; validation: Evaluation }> {
  const { engine, recipe } = run;
  const { embeddingOutput, embeddingWidth } = source;
  if (embeddingOutput === undefined || embeddingWidth === undefined)
    throw new Error(`${source.title} has no embedding`);
  const { labelled, validation } = dataset.splits;
  const isMain = keep.length === 0;
  const random = randomStream(recipe.seed, isMain ? `${name}-head` : `${name}-head-${head.output}`);
  const size = { width: embeddingWidth, hidden: options.hidden };
  const oneClass = isOneClass(head);
  const student = oneClass
    ? buildClassifierHead({ ...size, classes: classesOf(head).length }, random)
    : buildHead(head, size, random);
  const batches = embeddingBatches(labelled, space, options.batchSize, recipe.seed);
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: validation,
    batchSize: EVALUATION_ROWS,
    outputs: [{ output: oneClass ? LOGITS : head.output, metrics: head.metrics }],
    read: (batch) => embedded(batch, space),
  });
  const totalSteps = options.epochs * batches.batchesPerEpoch;
  try {
    const { parameters, best } = await trainStudent({
      engine,
      student,
      variants: { [variantName({ batch: options.batchSize })]: { batch: options.batchSize } },
      terms: oneClass && isMain ? [labelsTerm({ weight: 1 })] : headTerms(head, isMain),
      optimizer: adamw({ weightDecay: options.weightDecay }),
      schedule: {
        peak: options.learningRate,
        totalSteps,
        warmup: 0.05,
        decay: 'cosine',
      },
      ...formulateFor(run, totalSteps),
      batches,
      evaluate: evaluator.evaluate,
      // The cosine schedule ends where it should; validation chooses the epoch.
      selection: {
        metric: oneClass
          ? crossEntropy()
          : (head.metrics.find(({ name }) => name === head.target.selection) as Metric),
      },
      checkpoints: {
        folder: runCheckpoints(run, isMain ? name : `${name}-${head.output}`),
        everySeconds: HEAD_CHECKPOINT_SECONDS,
      },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({
          type: 'progress',
          stage: 'teacher',
          task: isMain ? 'training the head' : `training the head ${head.output}`,
          done,
          total,
          unit: 'steps',
          note,
        }),
      onWarning: (message) => run.warn(message),
    });
    if (!oneClass) {
      const trained = withParameters(student, parameters).graph;
      return {
        model: attachGraph(source.model, trained, embeddingOutput, head.output, keep),
        validation: best.evaluation,
      };
    }
    const onto = (tensors: ClassifierHead) =>
      attachHead(source.model, tensors, embeddingOutput, head.output, keep);
    if (!sample || !isMain)
      return { model: onto(headTensors(student, parameters)), validation: best.evaluation };
    const logits = await headAnswers(engine, withParameters(student, parameters), sample, space);
    const learnt = sharesOf(dataset.statistics.classCounts.labelled);
    const shift = shareShift(estimatedShares(logits, learnt), learnt, options.classShares);
    const bias = (parameters.get(HEAD_BIAS) as Float32Array).map((value, i) => value + (shift[i] as number));
    const shifted = new Map(parameters).set(HEAD_BIAS, bias);
    return { model: onto(headTensors(student, shifted)), validation: await evaluator.evaluate(shifted) };
  } finally {
    await evaluator.close();
  }
}

/** The losses of an output towards its labels; they read columns by its place among the outputs. */
function headTerms(head: Head, isMain: boolean): ObjectiveTerm[] {
  const { output, target, weights } = head;
  const context = {
    spreads: spreadsOf([head]),
    classes: 0,
    mainOutput: isMain ? output : '',
    weighted: new Set(weights === undefined ? [] : [output]),
  };
  return termsOfOutputs([{ output, objective: target.objective.labels }], context);
}

const HEAD_BIAS = 'head/bias';

/** Texts without labels that tell the shares of the classes. */
export const SHARES_SAMPLES = 4096;

/** The head's answers about a sample whose embeddings are in the store: [samples, classes]. */
async function headAnswers(
  engine: RunContext['engine'],
  head: Student,
  sample: ReturnType<typeof sampledRows>,
  space: LabelSpace,
): Promise<Float32Array> {
  const session = await engine.load(writeModel(head.graph));
  const answers: number[] = [];
  try {
    for (const batch of sample.batches(EVALUATION_ROWS)) {
      const { logits } = await session.run({ embedding: readKnowledge(space, batch) }, { logits: null });
      const own = logits.data.length / batch.rows;
      const values = (logits.data as Float32Array).subarray(0, batch.filled * own);
      for (const value of values) answers.push(value);
    }
  } finally {
    await session.release();
  }
  return Float32Array.from(answers);
}

/** The part of all that each count is; a class without any has a little. */
function sharesOf(counts: readonly number[]): number[] {
  const kept = counts.map((count) => Math.max(count, 0.5));
  const total = kept.reduce((sum, count) => sum + count, 0);
  return kept.map((count) => count / total);
}

/** A head's parameters as tensors, the scale of its input folded into the weight that follows. */
export function headTensors(head: Student, parameters: ReadonlyMap<string, Float32Array>): ClassifierHead {
  const shapes = parameterTensors(head);
  const tensorOf = (name: string, scale = 1): Tensor => {
    const data = parameters.get(name) as Float32Array;
    return { ...(shapes.get(name) as Tensor), data: scale === 1 ? data : data.map((value) => value * scale) };
  };
  const hidden = shapes.has('head/hidden/weight')
    ? {
        weight: tensorOf('head/hidden/weight', HIDDEN_INPUT_SCALE),
        bias: tensorOf('head/hidden/bias'),
        activation: 'relu' as const,
      }
    : undefined;
  return { weight: tensorOf('head/weight'), bias: tensorOf('head/bias'), hidden };
}

/** A batch of texts as a head reads it: the embeddings that the store holds, whatever the length of the texts. */
function embedded(batch: Batch, space: LabelSpace): Batch {
  const { rows, columns } = batch;
  return {
    ...batch,
    sizes: { batch: rows },
    columns: { ...columns, embedding: readKnowledge(space, batch) },
  };
}

function embeddingBatches(split: TextSplit, space: LabelSpace, batchSize: number, seed: number): BatchSource {
  const order = batchOrder(split, batchSize, seed);
  return {
    batchesPerEpoch: order.batchesPerEpoch,
    batch({ epoch, index }) {
      const { bucket, indices } = order.batch(epoch, index);
      return trainingBatch(embedded(split.readBatch(bucket, indices, batchSize), space));
    },
  };
}
