import { exitsOf } from '../../compress/exits/kept-exits.ts';
import type { Split } from '../../data/split.ts';
import { createPairedCount, type Difference, pairedDifference } from '../../metrics/interval.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass, mainMetric } from '../heads/head-metrics.ts';
import { type HeadsMeasuring, measureHeads, scoreOf } from '../heads/measure-heads.ts';
import { measureGraph } from '../measuring/measure-graph.ts';

/** What forms of a model are compared by on the validation split: a score of which 1 is all, and how much of it each loses. */
export interface ComparedForms {
  readonly evaluate: (graph: Graph) => Promise<number>;
  /** Of a graph that was evaluated, as the model was before. */
  readonly dropOf: (graph: Graph) => Difference;
}

/** Compares a model's forms with it by the main metric: of classifiers by the samples that only one of both gets right. */
export function comparedForms(run: RunContext, model: Graph, data: TaskData): ComparedForms {
  const { validation } = data.dataset.splits;
  return isOneClass(data.heads)
    ? comparedClassifiers(run, model, validation)
    : comparedModels(run, model, data, validation);
}

/** Of classifiers: by the samples that only one of both gets right. */
function comparedClassifiers(run: RunContext, model: Graph, validation: Split): ComparedForms {
  const rightOf = new Map<Graph, readonly boolean[]>();
  return {
    async evaluate(graph) {
      const { accuracy, right } = await measureGraph(run, graph, validation);
      rightOf.set(graph, right);
      return accuracy;
    },
    dropOf(graph) {
      const quantized = rightOf.get(graph) as readonly boolean[];
      const count = createPairedCount();
      rightOf.get(model)?.forEach((right, sample) => {
        count.add(right, quantized[sample]);
      });
      return pairedDifference(count.counts());
    },
  };
}

/** Of models with any outputs: by the metric of the main one. */
function comparedModels(
  run: RunContext,
  model: Graph,
  { heads }: TaskData,
  validation: Split,
): ComparedForms {
  const measured = new Map<Graph, HeadsMeasuring>();
  const metric = mainMetric(heads);
  return {
    async evaluate(graph) {
      const own = await measureHeads(run, graph, heads, validation);
      measured.set(graph, own);
      return scoreOf(metric, own.main, measured.get(model)?.main ?? own.main);
    },
    dropOf(graph) {
      const [before, after] = [measured.get(model), measured.get(graph)] as [HeadsMeasuring, HeadsMeasuring];
      const { difference, low, high } = after.gainOver(before);
      return { difference: -difference, low: -high, high: -low };
    },
  };
}

/**
 * What tells forms of a model apart layer by layer on the validation split, higher is better: of one class the negative mean
 * cross-entropy (of a network with exits over all of its heads), for accuracy is too coarse where samples are few; of other answers the main metric beside the model's.
 */
export async function fineScore(
  run: RunContext,
  data: TaskData,
  model: Graph,
): Promise<(graph: Graph) => Promise<number>> {
  const { heads } = data;
  const { validation } = data.dataset.splits;
  if (isOneClass(heads)) {
    const exits = exitsOf(model)?.exits.map(({ output }) => output) ?? [];
    return async (graph) => -(await measureGraph(run, graph, validation, ['logits', ...exits])).crossEntropy;
  }
  const reference = (await measureHeads(run, model, heads, validation)).main;
  return async (graph) =>
    scoreOf(mainMetric(heads), (await measureHeads(run, graph, heads, validation)).main, reference);
}
