import { z } from 'zod';
import { registryUnion } from './registry-union.ts';
import { plainWhenOff } from './switched-off.ts';

const pacing = {
  start: z
    .number()
    .gt(0)
    .max(1)
    .default(0.3)
    .describe('The part of the samples, the easiest ones, that training begins with.'),
  epochs: z
    .number()
    .positive()
    .optional()
    .describe('After so many epochs everything is in; half of training.epochs when absent.'),
};

const KINDS = [
  { kind: 'none', options: z.strictObject({}).describe('All samples in every epoch.') },
  {
    kind: 'teacher-confidence',
    options: z
      .strictObject(pacing)
      .describe(
        "Easy samples first: those whose label (or, without one, whose own answer) the teacher's kept answers give the highest probability (Weinshall et al., 2018).",
      ),
  },
  {
    kind: 'dynamics',
    options: z
      .strictObject(pacing)
      .describe(
        'After a first epoch over everything, easy samples first: those of which the student has been most confident so far.',
      ),
  },
] as const;

/** The order in which samples come in: easy ones first (Bengio et al., 2009). */
export const curriculumSchema = plainWhenOff(
  registryUnion(KINDS)
    .prefault({ kind: 'none' })
    .describe('The order in which samples come in. An epoch has the same number of steps with every kind.'),
);
export type CurriculumOptions = z.output<typeof curriculumSchema>;

/** Whether training follows its samples, and what for. */
export const dynamicsSchema = z
  .union([
    z.literal(false),
    z.strictObject({
      weigh: z
        .boolean()
        .default(false)
        .describe(
          'Weighs samples by how much their probability varied over the epochs: ambiguous ones up, easy and hopeless ones down (Chang et al., 2017).',
        ),
    }),
  ])
  .prefault({})
  .describe(
    'Follows confidence, variability and correctness of every training sample over the epochs (Swayamdipta et al., 2020); they are in the report and in dynamics.json. false leaves it out.',
  );

/** What is wrong with following samples only in view of the curriculum. */
export function dynamicsProblems({
  training: { curriculum, dynamics },
}: {
  readonly training: { readonly curriculum: CurriculumOptions; readonly dynamics: unknown };
}): { readonly path: (string | number)[]; readonly message: string }[] {
  if (dynamics || curriculum.kind !== 'dynamics') return [];
  const message = 'the curriculum dynamics follows samples: dynamics must not be false';
  return [{ path: ['training', 'dynamics'], message }];
}
