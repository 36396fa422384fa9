import { LimbeckError } from '../../../errors.ts';
import { classQuestion } from './class.ts';
import { classesQuestion } from './classes.ts';
import { numberQuestion } from './number.ts';
import type { Question, QuestionContext } from './question.ts';
import { spansQuestion } from './spans.ts';

/** How a hosted model is asked, by the kind of the target. Vectors are not asked for in words (`EMBEDDING`). */
const QUESTIONS: Readonly<Record<string, (context: QuestionContext) => Question>> = {
  class: classQuestion,
  classes: classesQuestion,
  number: numberQuestion,
  'token-classes': spansQuestion,
};

/** The target that the endpoint for embeddings answers. */
export const EMBEDDING = 'embedding';

/** The kinds of targets that a hosted model can teach. */
export const CHAT_TARGETS: readonly string[] = [...Object.keys(QUESTIONS), EMBEDDING];

/** @throws LimbeckError `recipe.invalid` for an output that no hosted model is asked about */
export function questionFor(context: QuestionContext): Question {
  const { head } = context;
  const make = QUESTIONS[head.target.kind];
  if (make) return make(context);
  throw new LimbeckError('recipe.invalid', `a hosted teacher cannot be asked about ${head.target.title}`, {
    where: `outputs.${head.output}`,
    remedy: `It teaches ${CHAT_TARGETS.join(', ')}.`,
  });
}
