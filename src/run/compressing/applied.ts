import { multiplicationsIn } from '../../compress/multiplications.ts';
import { findTransform, type TransformItem } from '../../compress/transforms/index.ts';
import { phasesOf, type TransformRound } from '../../compress/transforms/transform.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import type { Graph } from '../../onnx/graph.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { AppliedTransform, Compression } from '../../report/compression.ts';
import { finite } from '../../report/result.ts';

/** What the training with a recipe's transforms had of them; nothing where there are none. */
export function appliedSoFar({ compress }: Pick<Recipe, 'compress'>): { readonly compression?: Compression } {
  if (!compress) return {};
  return { compression: (compress as readonly TransformItem[]).map(told) };
}

function told(item: TransformItem): AppliedTransform {
  const { kind } = item;
  const transform = findTransform(kind);
  return { kind, title: transform.title, phases: phasesOf(transform, item) };
}

/** How large a student's shipped form is, and how good. */
export function sizeOf(graph: Graph, validation: Evaluation): NonNullable<AppliedTransform['before']> {
  const multiplications = multiplicationsIn(graph);
  return {
    parameters: parameterCount(graph),
    ...(multiplications !== undefined && { multiplications }),
    validation: written(validation),
  };
}

/** A transform's rounds as a result has them. */
export function writtenRounds(rounds: readonly TransformRound[]): NonNullable<AppliedTransform['rounds']> {
  return rounds.map(({ name, parameters, multiplications, cut, validation }) => ({
    name,
    parameters,
    ...(multiplications !== undefined && { multiplications }),
    ...(cut && { cut: written(cut) }),
    validation: written(validation),
  }));
}

function written(evaluation: Evaluation): Record<string, number | null> {
  return Object.fromEntries(Object.entries(evaluation).map(([name, value]) => [name, finite(value)]));
}
