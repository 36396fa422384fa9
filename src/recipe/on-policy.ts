import { z } from 'zod';
import { type Problem, termsOf } from './meaning.ts';
import type { ObjectivePart } from './objective.ts';
import type { OutputPart } from './outputs.ts';
import { switchable } from './switched-off.ts';
import { writerProblems, writingOptions } from './written.ts';

/** Batches of texts that the student writes while it is trained, and the teacher judges. */
export const onPolicySchema = switchable(
  z.strictObject({
    share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.5)
      .describe(
        'The share of steps that are taught by texts of the student; of the others the documents are (lambda of GKD).',
      ),
    after: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'The part of all steps before the first one of these: a student that has learnt nothing yet writes nothing that could be judged.',
      ),
    ...writingOptions,
    replay: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'The share of these steps that take a batch which was written before, drawn from the kept ones: writing costs more than judging (Ko et al., 2024).',
      ),
    kept: z.int().min(1).max(4096).default(64).describe('Batches that are kept for that, the last ones.'),
    patience: z
      .union([z.literal(false), z.int().min(2).max(1000)])
      .default(4)
      .describe(
        'Evaluations in a row that get worse while the training loss falls, before the training stops: a student can please its teacher with ever simpler texts. false goes on.',
      ),
  }),
).describe(
  "On-policy distillation of language models: the student writes texts with the weights that it has by then, and learns from the teacher's answers to them (Agarwal et al., 2024, arXiv 2306.13649). None, when absent.",
);

export type OnPolicyOptions = NonNullable<z.output<typeof onPolicySchema>>;

interface Wanted {
  readonly outputs?: Readonly<Record<string, OutputPart>> | undefined;
  readonly teacher?: { readonly kind: string; readonly memory?: unknown } | undefined;
  readonly objective: ObjectivePart;
  readonly weighting: { readonly kind: string };
  readonly stages: unknown;
  readonly continual?: unknown;
  readonly data: { readonly maxLength: number };
  readonly training: {
    readonly dynamics: unknown;
    readonly curriculum: { readonly kind: string };
    readonly onPolicy?: Pick<OnPolicyOptions, 'promptTokens'> | undefined;
  };
}

/** Losses that compare what comes next with what a teacher says of it. */
const JUDGING = ['nextTokenKd', 'tokenDivergence'];

/** Why a recipe cannot be trained on-policy, where it wants that. */
export function onPolicyProblems(recipe: Wanted): Problem[] {
  const { onPolicy, dynamics, curriculum } = recipe.training;
  if (!onPolicy) return [];
  const path = ['training', 'onPolicy'];
  const problems = writerProblems(recipe, path, onPolicy);
  const add = (message: string) => problems.push({ path, message });
  if (!termsOf(recipe.objective).some(({ kind }) => JUDGING.includes(kind)))
    add(
      `nothing is asked of the teacher about the student's texts: weigh one of ${JUDGING.join(', ')} in objective`,
    );
  if (recipe.weighting.kind === 'dynamic')
    add('dynamic weighting looks at samples of the data alone: leave one of the two out');
  if (dynamics !== false || curriculum.kind !== 'none')
    add(
      'training.dynamics and training.curriculum follow samples of the data, which are not all that is taught: leave them out',
    );
  if (recipe.continual !== undefined) add('a sequence of tasks is not taught by texts of the student');
  return problems;
}
