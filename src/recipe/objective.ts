import { z } from 'zod';
import {
  allObjectives,
  NAMED_OBJECTIVES,
  type ObjectiveInput,
  type ObjectiveItem,
  type ObjectiveMap,
  STANDING_OBJECTIVES,
} from '../objectives/index.ts';
import { type ObjectiveKind, termWeight } from '../objectives/objective.ts';
import { fromRegistries } from '../registry.ts';

type Standing = (typeof STANDING_OBJECTIVES)[number];
type Named = (typeof NAMED_OBJECTIVES)[number];

const optionsOf = ({ options }: { readonly options: unknown }) => options as z.ZodObject;

/** Each registered loss with its options, under its name. */
const map = () =>
  z.strictObject({
    ...Object.fromEntries(STANDING_OBJECTIVES.map((entry) => [entry.kind, optionsOf(entry).prefault({})])),
    ...Object.fromEntries(NAMED_OBJECTIVES.map((entry) => [entry.kind, optionsOf(entry).optional()])),
  }) as unknown as z.ZodType<
    ObjectiveMap,
    { [O in Standing | Named as O['kind']]?: z.input<O['options']> | undefined }
  >;

/** A term of the long form: what is named is weighed. */
function item({ kind, options }: ObjectiveKind): z.ZodObject<{ kind: z.ZodLiteral }> {
  const described = z.toJSONSchema(options).description ?? kind;
  const whole = options.safeExtend({ kind: z.literal(kind), weight: termWeight(1) }).describe(described);
  return whole as unknown as z.ZodObject<{ kind: z.ZodLiteral }>;
}

type Items = [z.ZodObject<{ kind: z.ZodLiteral }>, ...z.ZodObject<{ kind: z.ZodLiteral }>[]];
const list = () =>
  z
    .array(z.discriminatedUnion('kind', allObjectives().map(item) as Items))
    // An empty one is told with the losses that fit (nothing-learnt.ts); editors are told that it is wrong.
    .meta({ minItems: 1 })
    .superRefine((items, context) => {
      const seen = new Set<string>();
      for (const [index, given] of items.entries()) {
        const { kind, output, outputs } = given as { kind: string; output?: string; outputs?: unknown };
        const about = output ?? (outputs === undefined ? undefined : JSON.stringify(outputs));
        const key = `${kind} ${about ?? ''}`;
        if (seen.has(key)) {
          const of = about === undefined ? 'the main output' : `the output ${about}`;
          context.addIssue({ code: 'custom', path: [index], message: `${kind} of ${of} is there twice` });
        }
        seen.add(key);
      }
    }) as unknown as z.ZodType<readonly ObjectiveItem[], readonly ObjectiveInput[]>;

/** What the student is taught by: the weighted sum of these terms. */
export const objectiveSchema = fromRegistries(() =>
  z
    .union([map(), list()])
    .prefault({ kd: { weight: 0.7 }, featureMse: { weight: 0.3 } })
    .describe(
      'The loss: a weighted sum of terms. A map has each kind once, about the main output; a list (kind, output, weight, ...) may have a kind several times, about different outputs. Without this section 0.7 kd + 0.3 featureMse + 0.1 labels; a map has what it names (and kd, labels by their defaults), a list what it names. docs/objectives.md has all of them.',
    ),
);

/** The weights of the terms that are meant by a name: `kd` (of all outputs), or `kd/OUTPUT`. */
export function weightsOfTerm(
  objective: z.output<ReturnType<typeof objectiveSchema>>,
  name: string,
): number[] {
  const [kind, ...rest] = name.split('/');
  const wanted = rest.length === 0 ? undefined : rest.join('/');
  return termsOf(objective)
    .filter(({ options, ...term }) => {
      return term.kind === kind && (wanted === undefined || (options.output ?? '') === wanted);
    })
    .map(({ options }) => options.weight);
}

export type ObjectivePart = ObjectiveMap | readonly ObjectiveItem[];

export function weightsOf(objective: ObjectivePart): number[] {
  return termsOf(objective).map(({ options }) => options.weight);
}

function termsOf(objective: ObjectivePart) {
  type Options = { readonly weight: number; readonly output?: string | undefined };
  if (Array.isArray(objective)) {
    return (objective as readonly ObjectiveItem[]).map((options) => ({
      kind: options.kind as string,
      options: options as Options,
    }));
  }
  return Object.entries(objective).map(([kind, options]) => ({ kind, options: options as Options }));
}
