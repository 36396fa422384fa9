import { z } from 'zod';
import { registry } from '../../registry.ts';
import { AUDIO_TEACHERS, HUB_TEACHERS, IMAGE_TEACHERS, TEACHERS } from '../index.ts';
import {
  atChanceOption,
  minAgreementOption,
  minInnerCosineOption,
  precisionOption,
} from '../teaching-options.ts';

/** Options of a teacher that are said once for all of several, or that one of several does not have. */
const OF_ALL = ['atChance', 'precision', 'minAgreement', 'minInnerCosine'];

/** Teachers that are classifiers, as they come or with a head that is trained. */
const MEMBERS = [...TEACHERS, ...HUB_TEACHERS, ...IMAGE_TEACHERS, ...AUDIO_TEACHERS].filter(({ kind }) =>
  ['use-lite', 'onnx', 'hub', 'onnx-image', 'onnx-audio'].includes(kind),
);

const members = MEMBERS.map(({ kind, options }) => {
  const own = Object.entries(options.shape as z.ZodRawShape).filter(([key]) => !OF_ALL.includes(key));
  return z.strictObject({ kind: z.literal(kind), ...Object.fromEntries(own) });
});
const member = z.discriminatedUnion('kind', members as unknown as [(typeof members)[number]]);

/** What a recipe says of one of several teachers. */
export interface MemberChoice {
  readonly kind: string;
  readonly [option: string]: unknown;
}

/** How the answers of several teachers become one. */
export const weightsOption = z
  .union([z.array(z.number().min(0)).min(2), z.enum(['equal', 'validation', 'confidence', 'agreement'])])
  .default('equal')
  .describe(
    'What each counts: numbers in the order of the teachers; equal; validation: those under which the labelled validation samples are likeliest (each teacher is brought to the temperature at which it is as sure as it is right, then a mixture is fitted by EM); confidence: sample by sample, more the surer a teacher is (its entropy); agreement: sample by sample, more the nearer it is to the others.',
  );

export const severalOptions = z
  .object({
    teachers: (
      z.array(member).min(2).max(8) as unknown as z.ZodType<MemberChoice[], MemberChoice[]>
    ).describe(
      'The teachers, each with its own files, tokenizer and classes. One with train: head (the default of use-lite), or all, is trained first.',
    ),
    combine: z
      .enum(['probabilities', 'logits'])
      .default('probabilities')
      .describe(
        'Of what the mean is taken: probabilities (a class counts where some teacher believes in it) or logits (where none thinks it impossible).',
      ),
    weights: weightsOption,
    atChance: atChanceOption,
    precision: precisionOption,
    minAgreement: minAgreementOption,
    minInnerCosine: minInnerCosineOption,
  })
  .describe('Several classifiers, whose answers are brought to one before a student learns them.');

const several = {
  kind: 'several',
  reads: ['text', 'image', 'audio'],
  options: severalOptions,
} as const;

/** Teachers that consist of others. */
export const SEVERAL_TEACHERS = registry('several teachers', [several]);

/** What a recipe says of several teachers. */
export type SeveralChoice = { kind: 'several' } & z.output<typeof severalOptions>;

/** A teacher of several as a recipe of its own would name it, with every default. */
export function alone(
  { kind, ...own }: MemberChoice,
  { precision }: Pick<SeveralChoice, 'precision'>,
): MemberChoice {
  const found = MEMBERS.find((entry) => entry.kind === kind);
  if (!found) throw new Error(`no teacher ${kind} among several`);
  return { kind, ...(found.options as z.ZodObject).parse({ ...own, precision }) };
}
