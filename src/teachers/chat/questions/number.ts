import type { Question, QuestionContext } from './question.ts';
import { objectSchema, structuredQuestion } from './structured.ts';

const USUAL = 'Rate the text that the user sends with a number.';

/** A number for a text, in the unit that the data have; of several answers their mean. */
export function numberQuestion(context: QuestionContext): Question {
  return structuredQuestion<number>({
    context,
    dims: [1],
    usual: USUAL,
    schema: objectSchema({ value: { type: 'number' } }),
    answerTokens: 10,
    readAs: { number: 'mean' },
    parse: ({ value }) =>
      typeof value === 'number' && Number.isFinite(Math.fround(value)) ? value : 'outside',
    values: (answers) => Float32Array.of(answers.reduce((sum, value) => sum + value, 0) / answers.length),
  });
}
