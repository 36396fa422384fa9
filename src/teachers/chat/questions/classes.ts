import { classesOf } from '../../../targets/head.ts';
import { logitOfVotes } from '../soft-answers.ts';
import type { Question, QuestionContext } from './question.ts';
import { objectSchema, structuredQuestion } from './structured.ts';

const USUAL = 'Say which of these classes fit the text that the user sends; several may, or none:\n{classes}';

/** Which classes a text has, of which it may have several: the log of the odds of each. */
export function classesQuestion(context: QuestionContext): Question {
  const names = classesOf(context.head);
  const places = new Map(names.map((name, i) => [name.trim().toLowerCase(), i]));
  const { smoothing } = context.choice;
  return structuredQuestion<ReadonlySet<number>>({
    context,
    dims: [names.length],
    usual: USUAL,
    classes: names,
    schema: objectSchema({ labels: { type: 'array', items: { type: 'string', enum: names } } }),
    answerTokens: 24,
    readAs: { names, smoothing },
    parse({ labels }) {
      if (!Array.isArray(labels)) return 'outside';
      const found = labels.map((label) => places.get(String(label).trim().toLowerCase()));
      return found.includes(undefined) ? 'outside' : new Set(found as number[]);
    },
    values: (answers) =>
      Float32Array.from(names, (_, i) =>
        logitOfVotes(answers.filter((one) => one.has(i)).length, answers.length, smoothing),
      ),
  });
}
