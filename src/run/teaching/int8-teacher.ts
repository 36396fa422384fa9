import { int8Share } from '../../compress/int8-share.ts';
import { saturatesInt8 } from '../../compress/probe-saturation.ts';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { quantizeTowardsDrop } from '../../compress/quantize-within-drop.ts';
import { subPixelConvolutions } from '../../compress/sub-pixel-convolutions.ts';
import type { Batch } from '../../data/batch.ts';
import { inFlight } from '../../in-flight.ts';
import { Agreement, type AgreementSummary } from '../../knowledge/agreement.ts';
import { AnswerAgreement } from '../../knowledge/answer-agreement.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile, writeModelFile } from '../../onnx/node-files.ts';
import type { Head } from '../../targets/head.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { saysTokens } from '../heads/comparable-answers.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { calibratedInt8 } from '../measuring/int8.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';
import type { AnsweredBatch } from './check-teacher.ts';
import { tokenAgreement } from './token-agreement.ts';

/** Samples on which an int8 teacher is compared with its float32 original. */
export const AGREEMENT_SAMPLES = 1024;
/** Of these, so many tell the layers apart: what a layer does to the divergence shows on few. */
const SENSITIVITY_SAMPLES = 256;
/** So many of the layers may stay in float32; with more of them int8 would no longer be worth it. */
const MOST_FLOAT_LAYERS = 1 / 3;

export interface Int8Teacher {
  /** How often it decides as the float32 teacher does, 0 to 1. */
  readonly agreement: number;
  /** Validation samples that were compared. */
  readonly samples: number;
  /** Layers that were left in float32 for the sake of the agreement. */
  readonly floatLayers: readonly string[];
  /** The share of its multiplications that run in int8; undefined where the graph does not tell. */
  readonly share: number | undefined;
}

/**
 * Writes the int8 form of a teacher: all layers, where that decides as the float32 teacher on `minAgreement` of a sample
 * of the validation split; else with the layers whose int8 raises the divergence most left in float32, one more at a time,
 * up to a third of them. Of a language model all layers are int8, and what is compared is which token comes next.
 *
 * @returns null for a teacher without a layer that could be quantised
 * @param options.answered what the float32 teacher answers to the validation samples, where that is known
 */
export async function makeInt8Teacher(
  run: RunContext,
  data: TaskData,
  options: { file: string; int8File: string; minAgreement: number; answered?: readonly AnsweredBatch[] },
): Promise<Int8Teacher | null> {
  const { file, int8File, minAgreement, answered = [] } = options;
  const model = subPixelConvolutions(readModelFile(file));
  const layers = quantizableLayers(model).map(({ name }) => name);
  const isOfTokens = saysTokens(data.heads);
  // A teacher that came in int8 has none.
  if (layers.length === 0) return null;
  const { engine, recipe, checkInterrupted } = run;
  // The teacher answers on this machine alone: eight bits where they are safe here, unlike in a file that ships.
  const reduceRange = await saturatesInt8(engine);
  const quantize = await calibratedInt8({
    engine,
    model,
    data,
    seed: recipe.seed,
    weights: { reduceRange },
    checkInterrupted,
  });
  if (isOfTokens) {
    // All layers or none: to tell layers apart would take as long as labelling.
    writeModelFile(int8File, quantize());
    const { top1, samples } = await tokenAgreement(run, data, { file, other: int8File });
    return { agreement: top1, samples, floatLayers: [], share: int8Share(model, []) };
  }
  const expected = answered.length > 0 ? answered : await answers(run, data, file, AGREEMENT_SAMPLES);
  const compare = async (graph: Graph, most: number): Promise<AgreementSummary> => {
    writeModelFile(int8File, graph);
    const found = await answers(run, data, int8File, most);
    const agreement = isOneClass(data.heads)
      ? new Agreement(data.dataset.labels.length)
      : new AnswerAgreement();
    found.forEach(({ logits, samples }, batch) => {
      agreement.add((expected[batch] as AnsweredBatch).logits, logits, samples);
    });
    return agreement.summary();
  };

  let samples = 0;
  let measured = 0;
  const { best } = await quantizeTowardsDrop({
    layers,
    quantize,
    reference: 1,
    maxDrop: 1 - minAgreement,
    maxExcluded: Math.floor(layers.length * MOST_FLOAT_LAYERS),
    evaluate: async (graph) => {
      const summary = await compare(graph, AGREEMENT_SAMPLES);
      samples = summary.samples;
      return summary.top1;
    },
    ranking: {
      mode: 'all-but-one',
      evaluate: async (graph) => -(await compare(graph, SENSITIVITY_SAMPLES)).kl,
    },
    onLayer: () =>
      run.emit({
        type: 'progress',
        stage: 'teacher',
        task: 'looking for the layers that int8 changes most',
        done: ++measured,
        total: layers.length,
        unit: 'layers',
      }),
  });
  writeModelFile(int8File, best.graph);
  const share = int8Share(model, best.excluded);
  return { agreement: best.score, samples, floatLayers: best.excluded, share };
}

/** What one of the teacher's models answers to the first validation samples, batch by batch. */
async function answers(
  run: RunContext,
  data: TaskData,
  file: string,
  most: number,
): Promise<AnsweredBatch[]> {
  const { validation } = data.dataset.splits;
  const labeller = await openLabeller(run, data.task, file, file, { parallel: true });
  const { output } = data.heads[0] as Head;
  const ask = (batch: Batch) => labeller.label(batch, [output]);
  const batches = firstSamples(splitBatches(validation, TEACHER_BATCH), most);
  try {
    const answered: AnsweredBatch[] = [];
    let samples = 0;
    for await (const [batch, said] of inFlight(batches, labeller.batchesAtOnce ?? 1, ask)) {
      run.checkInterrupted();
      answered.push({ logits: said[output] as Float32Array, samples: batch.filled });
      samples += batch.filled;
      run.emit({
        type: 'progress',
        stage: 'teacher',
        task: 'comparing int8 with float32',
        done: Math.min(samples, most),
        total: Math.min(most, validation.size),
        unit: data.task.unit,
      });
    }
    return answered;
  } finally {
    await labeller.close();
  }
}

/** Batches until they hold so many samples. */
function* firstSamples(batches: Iterable<Batch>, most: number): Generator<Batch> {
  let samples = 0;
  for (const batch of batches) {
    if (samples >= most) return;
    samples += batch.filled;
    yield batch;
  }
}
