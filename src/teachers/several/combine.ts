import { SEQUENCE } from '../../data/columns.ts';
import type { Dim, Graph, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { DEFAULT_OPSET } from '../../onnx/graph-recorder.ts';
import { upgradeOpset } from '../../onnx/passes/upgrade-opset/upgrade-opset.ts';
import { LOGITS } from '../teacher-source.ts';

/** One of several classifiers, its classes in the order of the data's. */
export interface Member {
  /** Its output `logits`, float32 [batch, classes]. */
  readonly model: Graph;
  /** What the combined model calls its inputs, by its own names: those that are not here are shared with the others. */
  readonly inputs?: ReadonlyMap<string, string>;
  /** What its logits are divided by; 1 when absent. */
  readonly temperature?: number;
}

/** What each teacher counts: numbers that are fixed, or what is computed for each sample. */
export type Weighting = readonly number[] | 'confidence' | 'agreement';

/** A probability below this is none: its logarithm has to be finite. */
const LEAST = 1e-12;

/**
 * One classifier of several: the mean of their probabilities, sum of w_i p_i, as its logarithm, or the mean of their logits,
 * sum of w_i z_i (z centred by its softmax). Weights for each sample:
 *
 * - `confidence`: w_i in proportion to 1 - H(p_i) / log(classes), the entropy that it leaves;
 * - `agreement`: w_i in proportion to the mean over the others of the overlap sum over classes of min(p_i, p_j).
 *
 * @param members two at least, with the same classes
 * @returns with the output `logits`, float32 [batch, classes], and after it `logits/0`, `logits/1` ...: each alone
 */
export function combineTeachers(
  members: readonly Member[],
  combine: 'probabilities' | 'logits',
  weighting: Weighting,
): Graph {
  const { g, logits } = inOneGraph(members);
  const answers = logits.map((own, i) => {
    const { temperature = 1 } = members[i] as Member;
    return g.logSoftmax(temperature === 1 ? own : g.div(own, temperature));
  });
  const weights = weightsOf(g, answers, weighting);
  const terms = answers.map((logs, i) =>
    g.mul(combine === 'logits' ? logs : g.exp(logs), weights[i] as TypedValue | number),
  );
  const sum = terms.reduce((total, term) => g.add(total, term));
  g.output(combine === 'logits' ? g.identity(sum) : g.log(g.max(sum, LEAST)), LOGITS);
  for (const [i, logs] of answers.entries()) g.output(g.identity(logs), memberOutput(i));
  return g.build('several_teachers');
}

/** What each of several classifiers gives by itself, as the outputs `logits/0`, `logits/1` ... of one model: nothing is made of it. */
export function sideBySide(members: readonly Member[]): Graph {
  const { g, logits } = inOneGraph(members);
  for (const [i, own] of logits.entries()) g.output(g.identity(own), memberOutput(i));
  return g.build('several_teachers');
}

/** The models in one graph, over the inputs that they share and those that each has alone. */
function inOneGraph(members: readonly Member[]): {
  readonly g: GraphBuilder;
  readonly logits: readonly TypedValue[];
} {
  const opset = Math.max(DEFAULT_OPSET, ...members.map(({ model }) => model.opsets.get('') ?? 0));
  const g = new GraphBuilder(opset);
  const shared = new Map<string, TypedValue>();
  const logits = members.map(({ model, inputs }, i) => {
    const bound = new Map<string, TypedValue>();
    for (const { name, type, shape } of model.inputs) {
      const own = inputs?.get(name) ?? name;
      const renamed = inputs?.has(name) === true;
      // The lengths of texts differ where tokenizers do.
      const dims = (shape ?? []).map((dim) => (renamed && dim === SEQUENCE ? memberLength(i) : dim));
      const value = shared.get(own) ?? g.input(own, type as NonNullable<typeof type>, dims);
      shared.set(own, value);
      bound.set(name, value);
    }
    const values = g.inline(upgradeOpset(model, opset), bound, `teacher_${i}`);
    return values.get(LOGITS) as TypedValue;
  });
  return { g, logits };
}

/** The length of texts as one of several teachers reads them, where it has a tokenizer of its own. */
export function memberLength(i: number): string {
  return `${SEQUENCE}_${i}`;
}

/** Whether a size is such a length. */
export function isMemberLength(dim: Dim): dim is string {
  return typeof dim === 'string' && new RegExp(`^${SEQUENCE}_\\d+$`).test(dim);
}

/** The output that holds what one of several teachers says alone. */
export function memberOutput(i: number): string {
  return `${LOGITS}/${i}`;
}

/** Numbers, or columns float32 [batch, 1]; they sum to 1. */
function weightsOf(
  g: GraphBuilder,
  answers: readonly TypedValue[],
  weighting: Weighting,
): readonly (TypedValue | number)[] {
  if (typeof weighting !== 'string') {
    const total = weighting.reduce((sum, weight) => sum + weight, 0);
    return weighting.map((weight) => weight / total);
  }
  const chances = answers.map((logs) => g.exp(logs));
  const parts = weighting === 'confidence' ? confidences(g, answers, chances) : overlaps(g, chances);
  // A teacher that knows nothing still counts a little, so that there is always a weight.
  const positive = parts.map((part) => g.add(g.max(part, 0), 1e-3));
  const total = positive.reduce((sum, part) => g.add(sum, part));
  return positive.map((part) => g.div(part, total));
}

function confidences(
  g: GraphBuilder,
  answers: readonly TypedValue[],
  chances: readonly TypedValue[],
): TypedValue[] {
  return answers.map((logs, i) => {
    const classes = logs.shape.at(-1) as number;
    const negative = g.reduceSum(g.mul(chances[i] as TypedValue, logs), { axes: [1], keepDims: true });
    return g.add(g.div(negative, Math.log(classes)), 1);
  });
}

function overlaps(g: GraphBuilder, chances: readonly TypedValue[]): TypedValue[] {
  return chances.map((own, i) => {
    const shared = chances.flatMap((other, j) =>
      j === i ? [] : [g.reduceSum(g.min(own, other), { axes: [1], keepDims: true })],
    );
    return g.div(
      shared.reduce((sum, part) => g.add(sum, part)),
      shared.length,
    );
  });
}
