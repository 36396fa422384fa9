import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** Why something has no meaning for a kind of answers; it ends the sentence "... has no meaning for the output 'x': ...". */
export interface Meaningless {
  readonly because: string;
}

/** What can be asked of a kind of answers, or why it cannot. */
export type Meaning<T> = T | Meaningless;

/** What answers are read with besides their own numbers. */
export interface Reading {
  /** float32 [B, T]: 1 for a token that counts, where the answers are of tokens and a mask says it. */
  readonly mask?: TypedValue | undefined;
  /** How far the numbers lie apart (`Target.spread`); 1 when absent. */
  readonly spread?: number | undefined;
}

/** An answer with the teacher's beside it; both are of one shape, and no gradient flows through the teacher's. */
export interface ComparedAnswers extends Reading {
  readonly answers: TypedValue;
  readonly teacher: TypedValue;
}

/** An answer with what is true of it: the column of labels, or, where nobody knows, what the teacher said. */
export interface JudgedAnswers extends Reading {
  readonly answers: TypedValue;
  /** As the target writes it; absent where no column tells it. */
  readonly truth?: TypedValue | undefined;
  readonly teacher?: TypedValue | undefined;
}

/** How sure an answer is of what is true. */
export interface Confidence {
  /** float32 [B], 0 to 1. */
  readonly confidence: TypedValue;
  /** float32 [B]: 1 where the answer is right, where there is such a thing. */
  readonly correct?: TypedValue;
}

/** Where answers change from one to another. */
export interface DecisionBoundary {
  /**
   * How far an answer is on the teacher's side of the boundary that is nearest to the teacher's answer, float32 [B]: 0 at the
   * boundary, less beyond it.
   */
  margin(g: GraphBuilder, compared: ComparedAnswers): TypedValue;
  /** What the numbers are logits of: one distribution over classes, or one for each class. */
  readonly distribution: 'softmax' | 'bernoulli';
  /** Of an answer that is kept: what is decided, and how narrowly (the smaller, the nearer the boundary). */
  decided(answer: Float32Array): { readonly answer: number | string; readonly margin: number };
}

/**
 * What the inner knowledge of distillation asks of a kind of answers, beyond its losses and metrics: attributions, dynamic
 * weights, training dynamics, boundaries, sequences of tasks. Each is a function of graph values or the reason why it has no
 * meaning, which recipes are refused with.
 */
export interface InnerKnowledge {
  /** What the column of labels holds: a class for each row or token (int32), or numbers in the answer's shape (float32). */
  readonly truth: 'classes' | 'numbers';
  /**
   * The number whose slopes by the input are the reasons of an answer, float32 [B]: of what the teacher says, so that both
   * models are asked for the reasons of one decision.
   */
  readonly score: Meaning<(g: GraphBuilder, compared: ComparedAnswers) => TypedValue>;
  /** By what the nodes of answers in a knowledge graph are chosen: float32 [B, classes], the largest; absent without classes. */
  readonly classScores?: (g: GraphBuilder, answers: TypedValue, reading: Reading) => TypedValue;
  /** How hard a row is for the teacher, float32 [B], 0 to 1: the cause C of dynamic weights. */
  readonly uncertainty: Meaning<(g: GraphBuilder, judged: Omit<JudgedAnswers, 'teacher'>) => TypedValue>;
  /** How far student and teacher are apart on a row, float32 [B], 0 to 1: the cause D of dynamic weights. */
  readonly distance: Meaning<(g: GraphBuilder, compared: ComparedAnswers) => TypedValue>;
  /** How sure a model is of what is true: what training dynamics and curricula go by. */
  readonly confidence: Meaning<(g: GraphBuilder, judged: JudgedAnswers) => Confidence>;
  /** Whether the teacher's answer alone says how hard a row is; curricula by the teacher take labels where it does not. */
  readonly sureOfItself: boolean;
  /** Whether answers are right or wrong, and not only nearer or farther: then `confidence` says which. */
  readonly judged: boolean;
  readonly boundary: Meaning<DecisionBoundary>;
  /** Whether its classes can be divided among tasks that are learnt one after another. */
  readonly tasks: Meaning<true>;
}

/** What can be asked; undefined where it has no meaning. */
export function meant<T>(meaning: Meaning<T>): T | undefined {
  return isMeaningless(meaning) ? undefined : (meaning as T);
}

/** Whether it has no meaning. */
export function isMeaningless<T>(meaning: Meaning<T>): meaning is Meaningless {
  return typeof meaning === 'object' && meaning !== null && 'because' in meaning;
}

const NOT_SAID: Meaningless = { because: 'its target does not say what it would be (`inner`)' };

/** Of a target that says nothing of itself. */
export const UNTOLD: InnerKnowledge = {
  truth: 'numbers',
  score: NOT_SAID,
  uncertainty: NOT_SAID,
  distance: NOT_SAID,
  confidence: NOT_SAID,
  sureOfItself: false,
  judged: false,
  boundary: NOT_SAID,
  tasks: NOT_SAID,
};
