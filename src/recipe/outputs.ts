import { z } from 'zod';
import { fromRegistries } from '../registry.ts';
import { findTarget, targets } from '../targets/index.ts';
import { taughtWith } from '../targets/target.ts';
import { TASKS } from '../tasks/index.ts';

/** Names become outputs of models, and parts of columns' names (`labels/NAME`). */
const outputName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/, { error: 'expected letters, digits, underscores and dashes, at most 64' });

const field = z.string().min(1);

/** The options of a target, with the column that it is read from. */
const outputSchema = () => {
  const variants = targets().map(({ kind, options, spaceOf }) => {
    const column = spaceOf
      ? field
          .optional()
          .describe(
            'The column with its values; without one it is what the teacher says (of classes: name them, labels).',
          )
      : field.describe('The column of the data that holds it.');
    const variant = z.strictObject({ target: z.literal(kind), field: column, ...options.shape });
    const { description } = options.meta() ?? {};
    return description ? variant.describe(description) : variant;
  });
  return z.discriminatedUnion(
    'target',
    variants as unknown as [z.ZodObject<{ target: z.ZodLiteral<string> }>],
  );
};

/** What a recipe says of one output. */
export interface OutputPart {
  readonly target: string;
  readonly field?: string | undefined;
  readonly [option: string]: unknown;
}

/** What models answer, by name; the first is the main output. */
export const outputsSchema = fromRegistries(() =>
  z
    .record(outputName, outputSchema() as unknown as z.ZodType<OutputPart, OutputPart>)
    .refine((outputs) => Object.keys(outputs).length > 0, { error: 'expected one output at least' })
    .optional()
    .describe(
      'What is answered, by name: `{ logits: { target: classes, field: tags } }`; the first is the main one. When absent: a class (data.source.labelField).',
    ),
);

/**
 * A recipe as it was written, with what follows from its outputs: where these are no single class, the losses of each
 * target (towards its truth, and towards the teacher where there is one) and the metric of the main one.
 */
export function withOutputDefaults(value: unknown): unknown {
  if (!isSection(value)) return value;
  const stated = value.outputs ?? taskOutputs(value);
  if (!isSection(stated)) return value;
  const outputs = Object.entries(stated).flatMap(([output, part]) => {
    const target = isSection(part) && typeof part.target === 'string' ? findTarget(part.target) : undefined;
    return target && isSection(part) ? [{ output, target, part, hasField: part.field !== undefined }] : [];
  });
  const [main] = outputs;
  if (!main) return value;
  const objective = outputs.flatMap(({ output, target, part, hasField }) =>
    [
      ...(value.teacher === undefined ? [] : Object.entries(taughtWith(target, part))),
      ...(hasField ? Object.entries(target.objective.labels) : []),
    ].map(([kind, given]) => ({ kind, output, ...(typeof given === 'number' ? { weight: given } : given) })),
  );
  const training = value.training ?? {};
  const earlyStopping = isSection(training) ? (training.earlyStopping ?? {}) : undefined;
  const isOneClass = main.target.kind === 'class' && outputs.length === 1 && main.hasField;
  return {
    ...value,
    objective: isOneClass ? value.objective : (withoutClasses(value.objective) ?? objective),
    ...(isSection(training) && {
      training: {
        // Samples are followed by their class.
        ...(!isOneClass && { dynamics: false }),
        ...training,
        ...(isSection(earlyStopping) && {
          earlyStopping: { metric: metricName(outputs.length, main), ...earlyStopping },
        }),
      },
    }),
  };
}

/**
 * The outputs of a task that answers with something else than a class, as a recipe without `outputs` has them: of vectors the
 * teacher alone knows something.
 */
function taskOutputs({ task }: Section): Section | undefined {
  const outputs = Object.entries(TASKS.find(({ kind }) => kind === task)?.outputs ?? {});
  if (outputs.length === 0 || outputs.every(([, target]) => target === 'class')) return undefined;
  return Object.fromEntries(
    outputs.map(([name, target]) => [
      name,
      { target, ...(!isVector(target) && { field: findTarget(target)?.field ?? 'label' }) },
    ]),
  );
}

/** Whether a kind of answer is a vector, of which only a teacher knows something. */
export function isVector(kind: string): boolean {
  const target = findTarget(kind);
  return target?.spaceOf !== undefined && target.classes === undefined;
}

/** A map of losses without those that stand in every map and are about one class. */
function withoutClasses(objective: unknown): unknown {
  return isSection(objective) ? { kd: { weight: 0 }, labels: { weight: 0 }, ...objective } : objective;
}

/** As an evaluation has it: `OUTPUT/NAME` where there are several outputs. */
function metricName(
  count: number,
  { output, target }: { readonly output: string; readonly target: { readonly selection: string } },
): string {
  return count > 1 ? `${output}/${target.selection}` : target.selection;
}

type Section = Readonly<Record<string, unknown>>;

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
