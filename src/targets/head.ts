import type { Answers, MeasuredBatch, Metric } from '../metrics/metric.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { addedMetrics } from './added-metrics.ts';
import type { FeatureKind, Features, ParameterMaking } from './features.ts';
import { headScope } from './head-scope.ts';
import type { KeptForm } from './kept-form.ts';
import { wordsColumn } from './sentence-words.ts';
import type { AnyTarget, MeasureContext } from './target.ts';

/** How a named output of a model is made from a backbone's features. */
export interface AttachedHead {
  /** The name of the model's output: `logits`, `embedding`, ... */
  readonly output: string;
  readonly features: FeatureKind;
  /** The layers from the features to the output. */
  attach(g: GraphBuilder, make: ParameterMaking, features: Features): TypedValue;
}

/** The output of a model that writes (`Target.writes`) with what it wrote, int32 [batch, length]. */
export function writtenOutput(output: string): string {
  return `${output}/written`;
}

/** A named output of a model with its target, its options and its space. */
export interface Head extends AttachedHead {
  readonly target: AnyTarget;
  readonly options: Readonly<Record<string, unknown>>;
  /** Class names, the width of a vector: what the data said of it. */
  readonly space: unknown;
  /** Column names of its truth (see `MeasureContext`). */
  readonly labels: string;
  readonly weights?: string | undefined;
  readonly sides?: readonly string[] | undefined;
  readonly metrics: readonly Metric[];
  /** What the metrics are made of, where that is not the answers themselves. */
  reduce?(answers: Answers, batch: MeasuredBatch, written?: Answers): Answers;
  /** The output with what the model wrote by itself, where it does: only files that are measured have it. */
  readonly written?: string | undefined;
  /** What is kept of a teacher's answers, where that is not the whole of them. */
  readonly kept?: KeptForm | undefined;
  /** The input with the words before each, of an output that is written word by word. */
  readonly reads?: string | undefined;
  /** What the output is read with, where its target chooses that. */
  readonly tuned?: readonly number[] | undefined;
  /** What its layer's answers begin with, where its target finds that. */
  readonly prior?: Float32Array | undefined;
}

/** The same head, read with what was chosen for a model. */
export function tunedHead(head: Head, tuned: readonly number[] | undefined): Head {
  return tuned ? openHead({ ...head, tuned }) : head;
}

/** The names of its classes, of a head that has some; none otherwise. */
export function classesOf({ target, space }: Pick<Head, 'target' | 'space'>): readonly string[] {
  return target.classes?.(space) ?? [];
}

/** A head, now that its space is known. */
export function openHead(parts: {
  readonly output: string;
  readonly target: AnyTarget;
  readonly options: Readonly<Record<string, unknown>>;
  readonly space: unknown;
  readonly labels: string;
  readonly weights?: string | undefined;
  readonly sides?: readonly string[] | undefined;
  readonly tuned?: readonly number[] | undefined;
  readonly prior?: Float32Array | undefined;
}): Head {
  const { output, options, space, labels, weights, sides, tuned, prior } = parts;
  const judged = parts.target.judgedBy?.(options);
  const target = judged === undefined ? parts.target : { ...parts.target, selection: judged };
  const measured: MeasureContext<Readonly<Record<string, unknown>>, unknown> = {
    options,
    space,
    labels,
    weights,
    sides,
    tuned,
  };
  return {
    ...parts,
    target,
    kept: target.keep?.(options, space),
    features: target.features,
    ...(target.reduce && {
      reduce: (answers: Answers, batch: MeasuredBatch, written?: Answers) =>
        (target.reduce as NonNullable<AnyTarget['reduce']>)(answers, batch, measured, written),
    }),
    ...(target.writes && { written: writtenOutput(output), reads: wordsColumn(labels) }),
    metrics: [...target.metrics(measured), ...addedMetrics(target.kind, measured)],
    attach: (g, make, features) =>
      target.attach(g, make, features, { options, space, output, scope: headScope(output), labels, prior }),
  };
}
