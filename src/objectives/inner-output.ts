import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Head } from '../targets/head.ts';
import { type InnerKnowledge, meant, type Reading, UNTOLD } from '../targets/inner/inner-knowledge.ts';
import { ONE_CLASS } from '../targets/inner/one-class.ts';
import { A_VECTOR } from '../targets/inner/vectors.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import type { TeacherGraph } from '../teachers/knowledge-request.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';
import { MAIN_OUTPUT } from './output-names.ts';
import { tokenMask } from './token-mean.ts';

const ATTENTION_MASK = 'attention_mask';

/** One of a student's outputs, and what may be asked of its answers. */
export interface InnerOutput {
  readonly output: string;
  readonly inner: InnerKnowledge;
  /** Undefined where a model is all there is (of which a class is assumed), and for a side of a pair. */
  readonly head?: Head | undefined;
  /** Of a side of a pair: which half of the pair's answer is its own, and the name of that. */
  readonly side?: { readonly of: string; readonly half: 0 | 1 };
  readonly spread?: number | undefined;
}

/** An output by its name; the main one when absent. Of a recipe without heads (a model from a file) it is one class. */
export function innerOutput(
  given: string | undefined,
  { heads, mainOutput = MAIN_OUTPUT, spreads }: Pick<ObjectiveContext, 'heads' | 'mainOutput' | 'spreads'>,
): InnerOutput {
  const output = given ?? mainOutput;
  if (!heads) return { output, inner: ONE_CLASS };
  const head = heads.find((one) => one.output === output);
  if (head) return { output, head, inner: head.target.inner ?? UNTOLD, spread: spreads?.get(output) };
  const pair = heads.find(({ target }) => target.kind === 'pairs');
  const half = output === TEXT_EMBEDS ? 0 : output === IMAGE_EMBEDS ? 1 : undefined;
  if (pair && half !== undefined) return { output, inner: A_VECTOR, side: { of: pair.output, half } };
  return { output, inner: UNTOLD };
}

/**
 * What may be asked of an output, for a loss or a schedule that needs it.
 *
 * @throws LimbeckError `recipe.invalid` with the reason where it has no meaning; recipes are refused before they come here
 */
export function askedOf<K extends 'score' | 'uncertainty' | 'distance' | 'confidence' | 'boundary'>(
  { output, inner }: InnerOutput,
  asked: K,
  what: string,
): Exclude<InnerKnowledge[K], { readonly because: string }> {
  const found = meant<unknown>(inner[asked]);
  if (found !== undefined) return found as never;
  const { because } = inner[asked] as { readonly because: string };
  throw new LimbeckError('recipe.invalid', `${what} has no meaning for the output '${output}': ${because}`, {
    where: what,
    remedy: 'Leave it out, or name another output for it.',
  });
}

/** How a student's answers of an output are read: with the mask of its tokens, where it has one of their length. */
export function readingOf(
  g: GraphBuilder,
  answers: TypedValue,
  { spread }: InnerOutput,
  from: { has(name: string): boolean; value(name: string): TypedValue },
): Reading {
  if (answers.shape.length !== 3 || !from.has(ATTENTION_MASK)) return { spread };
  const mask = from.value(ATTENTION_MASK);
  return mask.shape[1] === answers.shape[1] ? { spread, mask: tokenMask(g, mask) } : { spread };
}

/** What the teacher said of an output in this batch, of the student's shape. */
export function teacherSaid(
  inputs: Pick<ObjectiveInputs, 'student' | 'knowledge'>,
  output: string,
): TypedValue {
  return inputs.knowledge(output, inputs.student(output).shape.slice(1));
}

/**
 * What is true of an output in this batch, as its target writes it; undefined where only the teacher knows anything, and of
 * pairs, of which is known what belongs together, and no vector.
 */
export function truthOf(
  inputs: ObjectiveInputs,
  { output, head, inner, side }: InnerOutput,
): TypedValue | undefined {
  if (side || head?.target.kind === 'pairs') return undefined;
  const column = head?.labels ?? 'labels';
  if (column.startsWith('knowledge/')) return undefined;
  const { shape } = inputs.student(output) as { shape: readonly number[] };
  const ofClasses = inner.truth === 'classes';
  return inputs.input(column, ofClasses ? 'int32' : 'float32', ofClasses ? shape.slice(0, -1) : shape);
}

/** The answer of a teacher's own graph to an output. */
export function teacherAnswer(
  g: GraphBuilder,
  teacher: Pick<TeacherGraph, 'value'>,
  { output, side, head }: InnerOutput,
  logits: string | undefined,
): TypedValue {
  if (!side) return teacher.value(head ? output : (logits ?? output));
  const both = teacher.value(side.of);
  const width = (both.shape[1] as number) / 2;
  return g.slice(both, 1, side.half * width, (side.half + 1) * width);
}
