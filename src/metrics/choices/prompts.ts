import type { Question } from './question.ts';

/** A question as a language model is asked it: what it reads, and what each choice goes on with. */
export interface ChoicePrompt {
  readonly prompt: string;
  readonly continuations: readonly string[];
  /** What is read in the place of the prompt to learn how likely the choices are anyway. */
  readonly premise?: string;
  /** Answered questions that stand in the prompt. */
  readonly shots?: number;
}

export interface LetterOptions {
  /** Questions with their answers, which stand before. */
  readonly shots?: readonly Question[];
  /** Whether a model can read a prompt; with it, so many shots are left out at the end that it can. */
  readonly fits?: (prompt: string) => boolean;
}

/** The names of choices. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * A question with its choices as a list, answered by a letter, after some that are answered: as the authors of MMLU ask (the
 * words of `gen_prompt` and `format_example` of their code, with its two spaces before the subject).
 *
 * Hendrycks et al., "Measuring Massive Multitask Language Understanding" (2021, arXiv 2009.03300), section 4.1, figure 1.
 */
export function lettersPrompt(question: Question, { shots = [], fits }: LetterOptions = {}): ChoicePrompt {
  const about = question.subject
    .split('_')
    .map((word) => ` ${word}`)
    .join('');
  const beginning = `The following are multiple choice questions (with answers) about ${about}.\n\n`;
  const answered = shots.map((shot) => `${listed(shot)} ${LETTERS[shot.answer]}\n\n`);
  const write = (count: number) => beginning + answered.slice(0, count).join('') + listed(question);
  let count = shots.length;
  while (count > 0 && fits && !fits(write(count))) count--;
  const continuations = question.choices.map((_, i) => ` ${LETTERS[i]}`);
  return { prompt: write(count), continuations, shots: count };
}

function listed({ text, choices }: Question): string {
  return `${text}${choices.map((choice, i) => `\n${LETTERS[i]}. ${choice}`).join('')}\nAnswer:`;
}

/** A question of which each choice is read as the text that follows: for models that never saw lists of choices. */
export function textsPrompt({ text, choices, beginning, premise }: Question): ChoicePrompt {
  return {
    prompt: beginning ?? `Question: ${text}\nAnswer:`,
    continuations: choices.map((choice) => ` ${choice}`),
    ...(premise !== undefined && { premise }),
  };
}
