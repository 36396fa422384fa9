import type { Head } from '../targets/head.ts';

/** What `config.json` says of a model's answers. */
export interface AnswerConfig {
  /** Of the main output, under the names that transformers has: `problem_type`, `id2label`. Empty where it has none for it. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** What each output is read with, by name, where the answer alone does not say it. */
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
}

/** What is to be said of the answers of heads, the main one first. */
export function answerConfig(heads: readonly Head[]): AnswerConfig {
  const [main, ...others] = heads as [Head, ...Head[]];
  const config = main.target.config(main.space, main.options, main.tuned);
  const isKnown = 'id2label' in config && !main.target.writes;
  const outputs =
    others.length > 0 || !isKnown
      ? Object.fromEntries(
          heads.map(({ output, target, space, options, tuned }) => [
            output,
            { target: target.kind, ...target.config(space, options, tuned) },
          ]),
        )
      : undefined;
  return { answer: isKnown ? config : {}, ...(outputs && { outputs }) };
}
