import { z } from 'zod';
import { allObjectives } from '../objectives/index.ts';
import { fromRegistries } from '../registry.ts';
import { type objectiveSchema, weightsOfTerm } from './objective.ts';

/** The name of a term: a kind, or KIND/OUTPUT. */
function termName() {
  const kinds = allObjectives().map(({ kind }) => kind) as [string, ...string[]];
  // Ends the check, so that what fits neither form is told by the names that there are.
  const ofOutput = z.string().regex(new RegExp(`^(${kinds.join('|')})/.+`), { abort: true });
  return z.union([z.enum(kinds), ofOutput]);
}

const stageSchema = () =>
  z
    .strictObject({
      name: z
        .string()
        .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,39}$/u, {
          error: 'expected letters, digits, spaces, dots and dashes, at most 40',
        })
        .describe('For metrics and the report.'),
      objectives: z
        .array(termName())
        .min(1)
        .describe(
          'The terms of objective that this stage trains with, by their weights there: a kind (about all outputs), or KIND/OUTPUT.',
        ),
      epochs: z
        .number()
        .positive()
        .optional()
        .describe('How long it is, at most; stages that do not say it share what is left evenly.'),
      until: z
        .enum(['epochs', 'plateau'])
        .default('epochs')
        .describe('Whether it ends earlier once validation no longer improves.'),
      patience: z
        .int()
        .positive()
        .default(3)
        .describe('Evaluations without a better one before a stage until plateau ends.'),
    })
    .describe('A part of the training with losses of its own.');
export type StageOptions = z.output<ReturnType<typeof stageSchema>>;

/** Parts of the training, one after another. */
export const stagesSchema = fromRegistries(() =>
  z
    .union([
      z.literal(false),
      z.enum(['progressive']),
      z
        .array(stageSchema())
        .min(1)
        .refine((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, {
          error: 'a name of a stage is there twice',
        }),
    ])
    .default(false)
    .describe(
      "Parts of the training with other losses, one after another: progressive begins with the losses over answers, then adds those of inner layers, then those over attacked samples, as far as objective weighs them; a list names each part's terms; false trains with all terms all the time.",
    ),
);

/** The epochs of each stage at most; the last one takes all that are left. */
export function stageEpochs(stages: readonly { readonly epochs?: number }[], total: number): number[] {
  const given = stages.reduce((sum, { epochs = 0 }) => sum + epochs, 0);
  const open = stages.filter(({ epochs }) => epochs === undefined).length;
  return stages.map(({ epochs }) => epochs ?? (total - given) / open);
}

/** What is wrong with stages only in view of the rest of the recipe. */
export function stageProblems(recipe: {
  readonly stages: z.output<ReturnType<typeof stagesSchema>>;
  readonly objective: z.output<ReturnType<typeof objectiveSchema>>;
  readonly training: { readonly epochs: number };
}): { readonly path: (string | number)[]; readonly message: string }[] {
  const { stages, objective, training } = recipe;
  if (!Array.isArray(stages)) return [];
  const idle = stages.flatMap(({ name, objectives }, index) =>
    objectives.some((term) => weightsOfTerm(objective, term).some((weight) => weight > 0))
      ? []
      : [
          {
            path: ['stages', index, 'objectives'],
            message: `all weights of the stage '${name}' are 0: nothing would be learnt`,
          },
        ],
  );
  const given = stages.reduce((sum, { epochs = 0 }) => sum + epochs, 0);
  const open = stages.some(({ epochs }) => epochs === undefined);
  if (open ? given < training.epochs : given <= training.epochs) return idle;
  const left = open ? 'nothing is left for the others' : 'the last ones would not come';
  const message = `the stages ask for ${given} epochs of ${training.epochs}: ${left}`;
  return [...idle, { path: ['stages'], message }];
}
