import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KeptForm } from '../targets/kept-form.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';
import type { OutputNames } from './output-names.ts';
import { tokenAnswers } from './token-classes.ts';

/** What a recipe says to keep for each form. */
const KEEP = { sorted: '{ sorted: 32 }', spans: 'spans' } as const;

/** A student's logits, and what is kept of its teacher's answers at the same tokens. */
export interface KeptAnswers {
  /** float32 [B, T, V] */
  readonly logits: TypedValue;
  /** int32 [B, T]; -1 where none is asked for */
  readonly next: TypedValue;
  /** float32 [B, T, width] */
  readonly kept: TypedValue;
  /** float32 [B, T]: how much each token counts, by its row and its mask */
  readonly asked: TypedValue;
}

/**
 * The answers that a loss compares, in a form that a student with other tokens than its teacher's can be compared with.
 *
 * @throws LimbeckError `recipe.invalid` where another form is kept, with what to write
 */
export function keptAnswers(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  names: OutputNames,
  { heads }: Pick<ObjectiveContext, 'heads'>,
  kind: keyof typeof KEEP & KeptForm['kind'],
): KeptAnswers {
  const form = heads?.find(({ output }) => output === names.output)?.kept;
  if (form?.kind !== kind) {
    throw new LimbeckError('recipe.invalid', `${names.term} compares another part of the teacher's answers`, {
      where: `objective ${names.term}, of which ${form?.title ?? 'all logits'} are kept`,
      remedy: `Set outputs.${names.output}.keep: ${KEEP[kind]}.`,
    });
  }
  const { logits, dims, tokenWeights } = tokenAnswers(g, inputs, names);
  const meaning = `what is kept of the teacher's answer for '${names.output}'`;
  const kept = inputs.input(
    `knowledge/${names.tap}`,
    'float32',
    [dims[0] as number, dims[1] as number, form.width],
    meaning,
  );
  const next = inputs.input(
    names.labels,
    'int32',
    dims.slice(0, 2),
    'the token that comes next; -1 where none is asked for',
  );
  return { logits, next, kept, asked: tokenWeights };
}
