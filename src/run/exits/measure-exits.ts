import { exitTaken, leavingBy } from '../../compress/exits/choose-thresholds.ts';
import { withoutExits } from '../../compress/exits/kept-exits.ts';
import { type Thresholds, withConditions } from '../../compress/exits/with-conditions.ts';
import type { Session } from '../../engine/engine.ts';
import { FURTHER_PRECISIONS } from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { ExitFormResult, ExitsResult } from '../../report/exits-result.ts';
import type { Section } from '../../report/targets/section.ts';
import type { Head } from '../../targets/head.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { SPEED_SECONDS } from '../measuring/measure-speed.ts';
import { type ExitAnswers, exitAnswers } from './exit-answers.ts';
import { exitBlocks } from './exit-blocks.ts';
import type { ExitForm, ShippedExits } from './shipped-exits.ts';
import { MOST_CALLS, meanLatencies } from './time-exits.ts';

/** What the test split says of a student with exits. */
export interface MeasuredExits {
  readonly result: ExitsResult;
  /** For the report: who leaves where. */
  readonly blocks: Section;
}

/** Measures on the test split how samples leave, what that costs in accuracy, and how long it takes in calls of one sample. */
export async function measureExits(
  run: RunContext,
  data: TaskData,
  { exits, costs, model, quantized, further }: ShippedExits,
): Promise<MeasuredExits> {
  const { confidence, maxDrop } = exits;
  const answers = await answersOf(run, data, model, costs);
  const form = await formResult(run, data, model, answers, exits.exits);
  const measured = async (one: ExitForm) =>
    formResult(run, data, one, await answersOf(run, data, one, costs), exits.exits);
  const quantizedForm = quantized && (await measured(quantized));
  const furtherForms: NonNullable<ExitsResult['further']> = {};
  for (const precision of FURTHER_PRECISIONS) {
    const one = further[precision];
    if (one) furtherForms[precision] = await measured(one);
  }
  return {
    result: {
      confidence,
      maxDrop,
      model: form,
      ...(quantizedForm && { quantized: quantizedForm }),
      ...(Object.keys(furtherForms).length > 0 && { further: furtherForms }),
    },
    blocks: exitBlocks(run, data, answers, model.policy.thresholds, exits.exits),
  };
}

function answersOf(
  run: RunContext,
  { dataset, heads: [head] }: TaskData,
  { file }: ExitForm,
  costs: readonly number[],
): Promise<ExitAnswers> {
  return exitAnswers(run, readModelFile(file), { split: dataset.splits.test, head: head as Head, costs });
}

async function formResult(
  run: RunContext,
  data: TaskData,
  { file, policy, policies }: ExitForm,
  answers: ExitAnswers,
  exits: ShippedExits['exits']['exits'],
): Promise<ExitFormResult> {
  const { thresholds } = policy;
  const never: Thresholds = exits.map(() => null);
  const [now, toTheEnd] = [leavingBy(answers, thresholds), leavingBy(answers, never)];
  const latency = await latenciesOf(run, data, readModelFile(file), { thresholds, exits: exits.length });
  const samples = answers.labels.length;
  const end = policies.at(-1) ?? policy;
  const right = rightByExit(answers, thresholds);
  return {
    exits: answers.costs.map((multiplications, i) => ({
      ...(exits[i] && { layer: exits[i].layer }),
      threshold: thresholds[i] ?? null,
      multiplications,
      validationShare: policy.shares[i] as number,
      share: now.shares[i] as number,
      accuracy: right[i] as number | null,
      accuracyOfAll: mean(answers.right[i] as Uint8Array),
      latencyMs: latency.byExit[i] as number,
    })),
    validation: {
      accuracy: policy.accuracy,
      toTheEnd: end.accuracy,
      samples: data.dataset.splits.validation.size,
    },
    test: { accuracy: now.accuracy, toTheEnd: toTheEnd.accuracy, samples },
    latencyMs: { mean: latency.mean, toTheEnd: latency.toTheEnd, samples: latency.calls },
    curve: policies.map((one) => {
      const { accuracy, shares } = leavingBy(answers, one.thresholds);
      // Who goes to the end passes all exits; who could not leave early runs the network without any.
      const isWhole = one.thresholds.every((threshold) => threshold === null);
      const latencyMs = isWhole
        ? latency.toTheEnd
        : shares.reduce((sum, share, i) => sum + share * (latency.byExit[i] as number), 0);
      return { thresholds: [...one.thresholds], accuracy, latencyMs };
    }),
  };
}

/** Of those who leave at each exit: right answers / samples. */
function rightByExit(answers: ExitAnswers, thresholds: Thresholds): (number | null)[] {
  return answers.right.map((_, exit) => {
    let [count, right] = [0, 0];
    for (let sample = 0; sample < answers.labels.length; sample++) {
      if (exitTaken(answers, thresholds, sample) !== exit) continue;
      count++;
      right += answers.right[exit]?.[sample] as number;
    }
    return count === 0 ? null : right / count;
  });
}

interface Latencies {
  /** Of the network that ships. */
  readonly mean: number;
  /** Of the same network without exits. */
  readonly toTheEnd: number;
  /** When every sample leaves at one exit, or, last, passes all of them. */
  readonly byExit: readonly number[];
  readonly calls: number;
}

async function latenciesOf(
  run: RunContext,
  { speedCalls, dataset }: TaskData,
  network: Graph,
  { thresholds, exits }: { readonly thresholds: Thresholds; readonly exits: number },
): Promise<Latencies> {
  // More than any confidence: all samples are looked at, and none leaves.
  const NONE = 2;
  const never: Thresholds = Array.from({ length: exits }, () => null);
  const only = (exit: number) => never.map((_, i) => (i === exit ? 0 : i < exit ? NONE : null));
  const graphs = [
    withConditions(network, thresholds),
    removeDeadNodes(withoutExits(network)),
    ...Array.from({ length: exits + 1 }, (_, exit) => withConditions(network, only(exit))),
  ];
  const sessions: Session[] = [];
  try {
    for (const graph of graphs) sessions.push(await run.engine.load(writeModel(graph)));
    run.checkInterrupted();
    const calls = [...speedCalls(dataset.splits.test, 1, MOST_CALLS)];
    const timed = await meanLatencies(sessions, calls, 2 * (run.options.timingSeconds ?? SPEED_SECONDS));
    const [ofNetwork, toTheEnd, ...byExit] = timed.means as [number, number, ...number[]];
    return { mean: ofNetwork, toTheEnd, byExit, calls: timed.calls };
  } finally {
    for (const session of sessions) await session.release();
  }
}

function mean(values: Uint8Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
