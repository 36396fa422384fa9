import { LimbeckError } from '../../errors.ts';
import { accuracyInterval, type Interval, Z } from '../interval.ts';
import type { ChoicePrompt } from './prompts.ts';
import type { Question } from './question.ts';

/**
 * The log-probability that a language model gives a continuation after a prompt, in nats: the sum over the tokens of the
 * continuation. Those of one question are asked at the same time, so that they can be put into one batch.
 */
export type ScoreContinuation = (prompt: string, continuation: string) => number | Promise<number>;

/** How well a model chooses. Fractions. */
export interface ChoiceAccuracy {
  readonly questions: number;
  /** Of the questions, the part whose right choice is the likeliest; where choices are equally likely, its part counts. */
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: Interval;
  /** The same with log-likelihoods for each byte of a choice: else long choices are never chosen (`acc_norm` of lm-eval). */
  readonly byBytes: number;
  /** What is right by guessing: the mean of 1 / choices. */
  readonly chance: number;
  /** 0 at chance, 1 where all is right: (accuracy - chance) / (1 - chance). */
  readonly aboveChance: number;
  /** `aboveChance` of `byBytes`. */
  readonly byBytesAboveChance: number;
  /** Where all questions have a premise: the same by what a choice gains in log-likelihood by the question. */
  readonly byInformation?: InformationAccuracy;
}

/**
 * Choices by pointwise mutual information, log p(choice | question) - log p(choice | premise): a choice that is likely whatever is
 * asked has no advantage. Holtzman et al., "Surface Form Competition" (2021, arXiv 2104.08315), section 3 (`acc_mutual_info` of lm-eval).
 */
export interface InformationAccuracy {
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: Interval;
  readonly aboveChance: number;
}

export interface ChoiceReport extends ChoiceAccuracy, SubjectMean {
  /** By subject, in the order of the questions. */
  readonly subjects: readonly SubjectAccuracy[];
  /** Subjects gathered, where they are of known categories; `accuracy` is over the questions of a category. */
  readonly categories: readonly (ChoiceAccuracy & SubjectMean & { readonly category: string })[];
}

export interface SubjectAccuracy extends ChoiceAccuracy {
  readonly subject: string;
}

/** The average in which each subject counts as much, however many questions it has. */
export interface SubjectMean {
  readonly subjectMean: number;
  /** 95 %, of the questions that might have been asked about these subjects; subjects are not drawn. */
  readonly subjectMeanInterval: Interval;
}

/** What came of one question. */
interface Answered {
  readonly subject: string;
  readonly choices: number;
  readonly right: number;
  readonly rightByBytes: number;
  readonly rightByInformation: number | undefined;
}

export interface MeasureChoicesOptions {
  /** How a question is put: `lettersPrompt`, `textsPrompt`. */
  readonly ask: (question: Question) => ChoicePrompt;
  /** The category of a subject, where subjects have some. */
  readonly categoryOf?: ((subject: string) => string | undefined) | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a language model questions with choices by likelihood: the choice whose text is the likeliest after the question is its
 * answer, and nothing is generated.
 *
 * Brown et al., "Language Models are Few-Shot Learners" (2020), section 2.4; Gao, "Multiple Choice Normalization in LM
 * Evaluation" (2021) for the likelihood of a byte.
 *
 * @throws LimbeckError `measure.likelihood` for a log-likelihood that is no number
 * @example
 * const { accuracy, chance } = await measureChoices(questions, score, { ask: textsPrompt });
 */
export async function measureChoices(
  questions: Iterable<Question>,
  score: ScoreContinuation,
  { ask, categoryOf, onProgress, signal }: MeasureChoicesOptions,
): Promise<ChoiceReport> {
  const answered: Answered[] = [];
  for (const question of questions) {
    signal?.throwIfAborted();
    const { prompt, continuations, premise } = ask(question);
    const scoresAfter = async (before: string): Promise<number[]> => {
      const found = await Promise.all(continuations.map(async (text) => score(before, text)));
      requireNumbers(found, question);
      return found;
    };
    const scores = await scoresAfter(prompt);
    const anyway = premise === undefined ? undefined : await scoresAfter(premise);
    const perByte = scores.map((value, i) => value / bytesOf(continuations[i] as string));
    const { subject, answer } = question;
    answered.push({
      subject,
      choices: scores.length,
      right: partOfBest(scores, answer),
      rightByBytes: partOfBest(perByte, answer),
      rightByInformation: anyway && partOfBest(informationOf(scores, anyway), answer),
    });
    onProgress?.(answered.length);
  }
  const subjects = subjectsOf(answered);
  const byCategory = groupsOf(answered, ({ subject }) => categoryOf?.(subject));
  const categories = byCategory.map(([category, own]) => ({
    category,
    ...accuracyOf(own),
    ...subjectMeanOf(subjectsOf(own)),
  }));
  return { ...accuracyOf(answered), ...subjectMeanOf(subjects), subjects, categories };
}

function subjectsOf(answered: readonly Answered[]): SubjectAccuracy[] {
  return groupsOf(answered, ({ subject }) => subject).map(([subject, own]) => ({
    subject,
    ...accuracyOf(own),
  }));
}

/** In the order in which the groups are met; what has none is left out. */
function groupsOf(
  answered: readonly Answered[],
  groupOf: (one: Answered) => string | undefined,
): [string, Answered[]][] {
  const groups = new Map<string, Answered[]>();
  for (const one of answered) {
    const group = groupOf(one);
    if (group === undefined) continue;
    const own = groups.get(group);
    if (own) own.push(one);
    else groups.set(group, [one]);
  }
  return [...groups];
}

/**
 * The mean of independent accuracies: variances of strata add. Each is taken of its Agresti-Coull centre, so that a subject in which
 * all is right is not taken for certain.
 *
 * Cochran, "Sampling Techniques" (1977), section 5.3; Agresti and Coull, "Approximate is Better than Exact" (1998).
 */
function subjectMeanOf(subjects: readonly SubjectAccuracy[]): SubjectMean {
  const subjectMean = meanOf(subjects.map(({ accuracy }) => accuracy));
  let variance = 0;
  for (const { accuracy, questions } of subjects) {
    const size = questions + Z * Z;
    const centre = (accuracy * questions + (Z * Z) / 2) / size;
    variance += (centre * (1 - centre)) / size / subjects.length ** 2;
  }
  const half = Z * Math.sqrt(variance);
  return {
    subjectMean,
    subjectMeanInterval: { low: Math.max(0, subjectMean - half), high: Math.min(1, subjectMean + half) },
  };
}

function accuracyOf(answered: readonly Answered[]): ChoiceAccuracy {
  const accuracy = meanOf(answered.map(({ right }) => right));
  const byBytes = meanOf(answered.map(({ rightByBytes }) => rightByBytes));
  const chance = meanOf(answered.map(({ choices }) => 1 / choices));
  const above = (value: number) => (value - chance) / (1 - chance);
  const informed = answered.flatMap(({ rightByInformation: right }) => (right === undefined ? [] : [right]));
  const information = meanOf(informed);
  const { length } = answered;
  return {
    questions: length,
    accuracy,
    interval: accuracyInterval(accuracy * length, length),
    byBytes,
    chance,
    aboveChance: above(accuracy),
    byBytesAboveChance: above(byBytes),
    ...(informed.length === length && {
      byInformation: {
        accuracy: information,
        interval: accuracyInterval(information * length, length),
        aboveChance: above(information),
      },
    }),
  };
}

/** What can never follow gains nothing. */
function informationOf(scores: readonly number[], anyway: readonly number[]): number[] {
  return scores.map((score, i) =>
    score === Number.NEGATIVE_INFINITY ? score : score - (anyway[i] as number),
  );
}

/** 1 where the answer is the best alone, a half where it is one of two, 0 where another one is better. */
function partOfBest(scores: readonly number[], answer: number): number {
  const best = Math.max(...scores);
  return scores[answer] === best ? 1 / scores.filter((value) => value === best).length : 0;
}

/** The space before a choice parts it from the question, and is none of it. */
function bytesOf(continuation: string): number {
  return Math.max(1, new TextEncoder().encode(continuation.trimStart()).length);
}

function requireNumbers(scores: readonly number[], { id }: Question): void {
  const wrong = scores.find((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
  if (wrong === undefined) return;
  throw new LimbeckError('measure.likelihood', `the model's log-likelihood of a choice is ${wrong}`, {
    where: `question ${id}`,
    remedy: 'Check the model: it gives values that are no numbers.',
  });
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}
