import { z } from 'zod';
import { MODALITIES } from '../data/modalities/index.ts';
import { fromRegistries } from '../registry.ts';

/** The columns of the data that an input is read from. */
const field = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2)])
  .describe('The column of the data that holds it; a list of two for a pair of texts.');

/** Names become parts of columns' names (`row_weights/NAME`), and of files'. */
export const partName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/, { error: 'expected letters, digits, underscores and dashes, at most 64' });

/** The options of a modality, with the columns that it reads. */
function inputSchema() {
  const variants = MODALITIES.map(({ kind, options }) => {
    const variant = z.strictObject({ modality: z.literal(kind), field, ...options.shape });
    const { description } = options.meta() ?? {};
    return description ? variant.describe(description) : variant;
  });
  const union = z.discriminatedUnion(
    'modality',
    variants as unknown as [z.ZodObject<{ modality: z.ZodLiteral<string> }>],
  );
  return union as unknown as z.ZodType<InputPart, InputPart>;
}

/** What a recipe says of one input. */
export interface InputPart {
  readonly modality: string;
  readonly field: string | readonly string[];
  readonly [option: string]: unknown;
}

/** What models read, by name, in the order in which they read it. */
export const inputsSchema = fromRegistries(() =>
  z
    .record(partName, inputSchema())
    .refine((inputs) => Object.keys(inputs).length > 0, { error: 'expected one input at least' })
    .optional()
    .describe(
      'What is read of each row, by name: `{ text: { modality: text, field: gloss } }`. When absent: a text (data.source.textField) or an image, as the task wants it. A row that lacks some of several inputs is still used.',
    ),
);
