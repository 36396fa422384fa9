import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';

/**
 * Classes between which a choice is made, by group: one group of all classes that were taught so far, or a group for each
 * task where the task of a sample is told.
 */
export type AnswerGroups = readonly (readonly number[])[];

/** exp of it is 0 in float32, and adding it keeps a logit finite. */
const OUT = -1e4;

/**
 * The logits [batch, classes] with those pushed out of sight that do not compete with a row's label: the softmax is then
 * over the label's group.
 */
export function amongGroup(
  g: GraphBuilder,
  { logits, labels, groups }: { logits: TypedValue; labels: TypedValue; groups: AnswerGroups },
): TypedValue {
  const classes = logits.shape[1] as number;
  const table = new Float32Array(classes * classes);
  for (const group of groups) {
    for (const label of group) {
      table.fill(OUT, label * classes, (label + 1) * classes);
      for (const other of group) table[label * classes + other] = 0;
    }
  }
  return g.add(logits, rowOfLabel(g, table, classes, labels));
}

/** The row of a table [classes, classes] that belongs to each label; rows without a label get the first one. */
export function rowOfLabel(
  g: GraphBuilder,
  table: Float32Array,
  classes: number,
  labels: TypedValue,
): TypedValue {
  const known = g.cast(g.max(labels, 0), 'int64');
  return g.gather(g.constant(float32(table, [classes, classes])), known);
}

/** Some columns of the logits: [batch, group]. */
export function columns(g: GraphBuilder, logits: TypedValue, group: readonly number[]): TypedValue {
  return g.gather(logits, g.constant(int64(group)), 1);
}
