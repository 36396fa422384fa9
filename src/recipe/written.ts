import { z } from 'zod';
import { findTarget } from '../targets/index.ts';
import { HOSTED_TEACHERS } from '../teachers/index.ts';
import type { Problem } from './meaning.ts';
import type { OutputPart } from './outputs.ts';
import { switchable } from './switched-off.ts';

/** How texts go on from the beginnings of documents. */
export const writingOptions = {
  promptTokens: z
    .int()
    .min(1)
    .max(4095)
    .default(8)
    .describe(
      'Tokens of a document that are its beginning; of a conversation it is all before the first answer. Shorter documents are left out.',
    ),
  maxNewTokens: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe('Tokens that are written at most; as many as data.maxLength leaves room for when absent.'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Logits are divided by it before a token is drawn; 0 takes the likeliest token.'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Tokens are drawn from the fewest that have so much probability together.'),
} as const;

/** Texts that the teacher writes become training documents: distillation on the level of sequences. */
export const writtenSchema = switchable(
  z.strictObject({
    part: z
      .number()
      .positive()
      .max(16)
      .default(0.5)
      .describe(
        'How many texts the teacher writes, as a part of the training documents; above 1 several of each.',
      ),
    alone: z
      .boolean()
      .default(false)
      .describe(
        'Whether the student is taught by these texts alone, and the documents are only where they begin; they are taught beside the documents when false.',
      ),
    ...writingOptions,
  }),
).describe(
  'Texts that the teacher writes, from the beginnings of training documents on: they are taught like documents (Kim and Rush, 2016, arXiv 1606.07947). None, when absent.',
);

/** How the teacher writes. */
export type WrittenOptions = NonNullable<z.output<typeof writtenSchema>>;

interface Wanted {
  readonly outputs?: Readonly<Record<string, OutputPart>> | undefined;
  readonly teacher?: { readonly kind: string; readonly memory?: unknown } | undefined;
  readonly data: {
    readonly maxLength: number;
    readonly written?: Pick<WrittenOptions, 'promptTokens' | 'alone'> | undefined;
  };
  readonly training: { readonly dynamics: unknown; readonly curriculum: { readonly kind: string } };
}

/** Why the teacher cannot write texts for a recipe that wants them. */
export function writtenProblems(recipe: Wanted): Problem[] {
  const { written } = recipe.data;
  if (!written) return [];
  const problems = writerProblems(recipe, ['data', 'written'], written);
  const { dynamics, curriculum } = recipe.training;
  const follows = dynamics !== false ? 'dynamics' : curriculum.kind !== 'none' ? 'curriculum' : undefined;
  if (written.alone && follows)
    problems.push({
      path: ['data', 'written', 'alone'],
      message: `training.${follows} is about the documents, which are not taught then: leave one of the two out`,
    });
  return problems;
}

/** What everything needs in which models write texts, and the teacher judges or writes them. */
export function writerProblems(
  { outputs, teacher, data }: Pick<Wanted, 'outputs' | 'teacher' | 'data'>,
  path: readonly string[],
  { promptTokens }: { readonly promptTokens: number },
): Problem[] {
  const problems: Problem[] = [];
  const add = (message: string, ...key: string[]) => problems.push({ path: [...path, ...key], message });
  if (!Object.values(outputs ?? {}).some(({ target }) => findTarget(target)?.readsDocuments))
    add('texts are written by language models alone: set task: text-generation');
  if (!teacher) add('there is no teacher: name one (teacher)');
  else if (HOSTED_TEACHERS.some(({ kind }) => kind === teacher.kind))
    add(
      `the teacher '${teacher.kind}' is asked somewhere else, and is not asked to write yet: take one that runs here (onnx, hub)`,
    );
  else if (teacher.kind === 'several') add('several teachers do not write one text: name one of them');
  else if (teacher.memory !== undefined)
    add(
      'a teacher that runs in parts (teacher.memory) would be read once for each token: leave the bound out',
    );
  if (promptTokens >= data.maxLength)
    add(
      `beginnings of ${promptTokens} tokens leave no room in texts of ${data.maxLength} (data.maxLength)`,
      'promptTokens',
    );
  return problems;
}
